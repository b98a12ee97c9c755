"""What an event stream of several runs is refused for."""

from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from consumers.feeds.hub import Hub

from ..conftest import Login
from ..connections import HttpStream
from ..rows import stored
from .bundleevents import after, parsed, request

pytestmark = pytest.mark.usefixtures("anyone")


async def test_unknown_runs_are_named(hub: Hub) -> None:
    run, unknown = await stored(events=1), [uuid4(), uuid4()]
    stream = await request([run, *unknown]).open()
    assert stream.status == 404
    assert stream.json["error"]["code"] == "no_such_run"
    assert stream.json["error"]["runs"] == [str(run_id) for run_id in unknown]
    assert hub.watched == 0


async def test_forbidden_runs_are_named(hub: Hub, settings: Any, ann: Login) -> None:
    settings.HEADWAY = {}
    hers, his = await stored(user=ann.user), await stored()
    stream = await request([hers, his], headers=[ann.cookie]).open()
    assert stream.status == 403
    assert stream.json["error"]["runs"] == [str(his.pk)]
    assert (await request([hers, his]).open()).status == 401
    alone = await request([hers], headers=[ann.cookie]).open()
    assert alone.status == 200
    await alone.disconnect()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "bad_request"),
        ("run=", "malformed_id"),
        ("run=x", "malformed_id"),
        ("run=%00%FF", "malformed_id"),
        ("run=RUN&after=0", "bad_cursor"),
        ("run=RUN&after=", "bad_cursor"),
        ("run=RUN&after=7", "bad_cursor"),
        ("run=RUN&after=%E2%98%83", "bad_cursor"),
        ("run=RUN&run=RUN2&run=RUN3", "too_many"),
    ],
)
async def test_a_bad_request(hub: Hub, settings: Any, query: str, code: str) -> None:
    settings.HEADWAY |= {"SUBSCRIPTIONS": 2}
    run = await stored(events=1)
    stream = await HttpStream("/tasks/events/", query.replace("RUN", str(run.pk))).open()
    assert (stream.status, stream.json["error"]["code"]) == (400, code)
    assert (hub.watched, hub.bundles) == (0, set())


@pytest.mark.parametrize("cursor", [b"", b"3", b"latest", b"\xff", b"A" * 4000])
async def test_a_bad_last_event_id(hub: Hub, cursor: bytes) -> None:
    run = await stored(events=1)
    stream = await request([run], headers=[(b"last-event-id", cursor)]).open()
    assert (stream.status, stream.json["error"]["code"]) == (400, "bad_cursor")


async def test_a_vector_of_other_runs(hub: Hub) -> None:
    one, two = [await stored(events=1, finish=True) for _ in range(2)]
    (event,) = parsed(await (await request([one]).open()).body())
    assert (await request([two], headers=after(event)).open()).status == 400


async def test_a_vector_beyond_a_log(hub: Hub) -> None:
    run = await stored(events=2, finish=True)
    found = parsed(await (await request([run]).open()).body())
    run.last_seq = 1
    await sync_to_async(run.save)()
    stream = await request([run], headers=after(found[-1])).open()
    assert (stream.status, stream.json["error"]["code"]) == (400, "bad_cursor")
