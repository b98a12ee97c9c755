"""Grants that end while somebody watches."""

import json
from collections.abc import Callable
from time import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from consumers.feeds.hub import Hub
from consumers.wire import CloseCode
from tasks import grants
from tasks.handles import get_handle
from tasks.models import TaskRun

from .conftest import Login
from .rightsbench import Watching, again
from .rows import emit, stored
from .streams import PATIENCE, HttpStream, events_path, socket
from .test_bundlesocket import Client
from .test_websocket import closing, opened

pytestmark = pytest.mark.usefixtures("often")


async def granted(run: TaskRun) -> Any:
    """What shows a grant for ten minutes."""
    made = grants.make(run.pk, "stream", run.grants_revoked, 600.0)
    return [(b"authorization", f"Bearer {made}".encode())]


async def test_a_revoked_grant(hub: Hub, ann: Login) -> None:
    run, other = await stored(user=ann.user), await stored()
    headers = await granted(run)
    watching = await Watching(run, headers).open()
    beside = await Watching(other, await granted(other)).open()
    with_cookie = await opened(socket(run.pk, "after=1", [ann.cookie]))
    handle = await sync_to_async(get_handle)(run.pk)
    await handle.arevoke_grants()
    await watching.ended(CloseCode.NOT_AUTHENTICATED, "grant_revoked")
    assert await again(run, headers) == [401, CloseCode.NOT_AUTHENTICATED]
    await watching.sockets.leave()
    # Grants for another run go on, and so does who needs none.
    await beside.reach(2)
    await run.arefresh_from_db()
    await emit(run, 1)
    assert json.loads((await with_cookie.receive_output(PATIENCE))["text"])["seq"] == 2
    made = handle.grant()
    assert (await HttpStream(events_path(run.pk), f"grant={made}").open()).status == 200


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the clock by which grants end, by seconds from now."""
    return lambda seconds: monkeypatch.setattr(grants, "time", lambda: time() + seconds)


Later = Callable[[float], None]


async def test_an_expired_grant(hub: Hub, later: Later) -> None:
    run = await stored()
    watching = await Watching(run, await granted(run)).open()
    later(599 - PATIENCE)
    await watching.reach(2)
    later(601)
    await watching.ended(CloseCode.NOT_AUTHENTICATED, "grant_expired")
    await watching.sockets.leave()


async def test_a_grant_is_renewed_without_reconnecting(hub: Hub, later: Later) -> None:
    run = await stored()
    short = await granted(run)
    one = await opened(socket(run.pk, headers=short))
    many = await Client(headers=short).open()
    assert (await many.ask("subscribe", run=run.pk))["ok"]
    stale = await opened(socket(run.pk, headers=short))
    long = grants.make(run.pk, "stream", 0, 3600.0)
    await one.send_json_to({"op": "grant", "grant": long, "ref": "a"})
    assert json.loads((await one.receive_output(PATIENCE))["text"])["ok"]
    assert (await many.ask("grant", grant=long, ref="b"))["ref"] == "b"
    later(601)
    # When the first has expired for the one that has no other, the others have gone on.
    assert (await closing(stale))[0] == CloseCode.NOT_AUTHENTICATED
    await emit(run, 1)
    assert json.loads((await one.receive_output(PATIENCE))["text"])["seq"] == 1
    assert (await many.hear())["seq"] == 1
    await one.disconnect()
    await many.leave()


async def test_a_grant_for_another_action_renews_nothing(hub: Hub, later: Later) -> None:
    run = await stored()
    ws = await opened(socket(run.pk, headers=await granted(run)))
    await ws.send_json_to({"op": "grant", "grant": grants.make(run.pk, "stop", 0, 3600.0)})
    assert json.loads((await ws.receive_output(PATIENCE))["text"])["ok"]
    later(601)
    assert (await closing(ws))[0] == CloseCode.NOT_AUTHENTICATED
