"""Rights that end while somebody watches: every kind of stream closes, and says why."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session

from consumers.access.admission import Admission
from consumers.access.identity import Identity, gone
from consumers.feeds.hub import Hub
from consumers.refusal import Refusal
from consumers.wire import CloseCode
from tasks.models import TaskRun

from ..bundleclient import Client
from ..conftest import RECHECK, Login, _login
from ..connections import PATIENCE, HttpStream, events_path, socket
from ..loops import settle
from ..rows import emit, stored
from ..runsocket import closing, opened
from .rightsbench import Watching, again, log_out

pytestmark = pytest.mark.usefixtures("often")

End = Callable[[], Any]


def expire_session(ann: Login) -> Any:
    return sync_to_async(Session.objects.update)(expire_date="2020-01-01T00:00:00Z")


def deactivate(ann: Login) -> Any:
    return sync_to_async(get_user_model().objects.update)(is_active=False)


def change_password(ann: Login) -> Any:
    ann.user.set_password("another")
    return ann.user.asave()


ENDS = [log_out, expire_session, deactivate, change_password]


@pytest.mark.parametrize("end", ENDS)
async def test_a_user_who_is_no_more(hub: Hub, ann: Login, end: Callable[[Login], Any]) -> None:
    run = await stored(user=ann.user)
    headers = [ann.cookie]
    watching = await Watching(run, headers).open()
    await end(ann)
    await watching.ended(CloseCode.NOT_AUTHENTICATED, "not_authenticated")
    if watching.socket_stays:  # for a moment: it may ask for nothing else either
        assert await watching.sockets.closed() == CloseCode.NOT_AUTHENTICATED
    assert await again(run, headers) == [401, CloseCode.NOT_AUTHENTICATED]
    assert hub.watched == 0
    assert hub.rights._held == {}


async def test_a_user_who_is_deleted(hub: Hub, ann: Login) -> None:
    """Then the run is nobody's as well: what is seen first is the reason."""
    run = await stored(user=ann.user)
    ws = await opened(socket(run.pk, headers=[ann.cookie]))
    await sync_to_async(get_user_model().objects.all().delete)()
    assert (await closing(ws))[0] in (CloseCode.NOT_AUTHENTICATED, CloseCode.FORBIDDEN)


async def test_a_socket_of_many_that_has_no_run_closes_too(hub: Hub, ann: Login) -> None:
    client = await Client(headers=[ann.cookie]).open()
    assert (await client.ask("ping"))["op"] == "pong"
    await log_out(ann)
    assert await client.closed() == CloseCode.NOT_AUTHENTICATED


async def test_nobody_else_is_disturbed(hub: Hub, ann: Login, bob: Login) -> None:
    mine, yours = await stored(user=ann.user), await stored(user=bob.user)
    going, staying = Watching(mine, [ann.cookie]), Watching(yours, [bob.cookie])
    await going.open()
    await staying.open()
    await log_out(ann)
    await going.ended(CloseCode.NOT_AUTHENTICATED, "not_authenticated")
    await asyncio.sleep(RECHECK * 5)  # some rounds
    await staying.reach(2)


async def test_another_session_of_the_same_user_stays(hub: Hub, ann: Login) -> None:
    run = await stored(user=ann.user)
    other = Login(ann.user, type(ann.client)())
    await other.client.aforce_login(ann.user)
    going = await Watching(run, [ann.cookie]).open()
    stays = await opened(socket(run.pk, "after=1", [other.cookie]))
    await log_out(ann)
    await going.ended(CloseCode.NOT_AUTHENTICATED, "not_authenticated")
    await emit(run, 1)
    assert json.loads((await stays.receive_output(PATIENCE))["text"])["seq"] == 2
    await stays.disconnect()


async def test_staff_no_longer(hub: Hub, staff: Login) -> None:
    """The default rule is asked about the user as they are now."""
    run = await stored()
    watching = await Watching(run, [staff.cookie]).open()
    await sync_to_async(get_user_model().objects.update)(is_staff=False)
    await watching.ended(CloseCode.FORBIDDEN, "forbidden")
    assert watching.socket_stays
    assert (await watching.sockets.ask("ping"))["op"] == "pong"
    await watching.sockets.leave()
    assert await again(run, [staff.cookie]) == [403, CloseCode.FORBIDDEN]


async def test_a_run_that_is_given_to_another_user(hub: Hub, ann: Login, bob: Login) -> None:
    """The default rule is asked about the run as it is now."""
    run = await stored(user=ann.user)
    watching = await Watching(run, [ann.cookie]).open()
    await sync_to_async(TaskRun.objects.update)(user=bob.user)
    await watching.ended(CloseCode.FORBIDDEN, "forbidden")
    await watching.sockets.leave()


async def test_a_stalled_replay_ends_as_well(hub: Hub, ann: Login) -> None:
    """In the middle of a long log: not one more event."""
    run = await stored(events=2_000, user=ann.user)
    stream = await HttpStream(events_path(run.pk), headers=[ann.cookie]).open()
    assert b"retry" in await stream.chunk()
    await log_out(ann)
    body = await stream.body()
    assert stream.ended
    assert body.count(b"\n\n") <= 2_000


# Who somebody is


async def test_what_middleware_says_of_a_user_stays(transactional_db: None, ann: Login) -> None:
    """AUTHZ may ask for it; not what is known from before, such as permissions."""

    def look() -> None:
        user: Any = get_user_model().objects.get(pk=ann.user.pk)
        user.is_verified = lambda: True  # as a second factor's middleware does
        user._perm_cache = {"old"}
        identity = Identity.of(user, None)
        assert Identity.of(get_user_model().objects.get(pk=user.pk), None) is not identity
        get_user_model().objects.update(is_staff=True)
        assert gone([identity]) == set()
        now: Any = identity.user
        assert now.is_staff
        assert now.is_verified()
        assert not hasattr(now, "_perm_cache")

    await sync_to_async(look)()


async def test_a_session_in_the_cache(hub: Hub, settings: Any) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    eve = await _login("eve")
    run = await stored(user=eve.user)
    watching = await Watching(run, [eve.cookie]).open()
    await asyncio.sleep(RECHECK * 5)  # some rounds
    await watching.reach(2)
    await log_out(eve)
    await watching.ended(CloseCode.NOT_AUTHENTICATED, "not_authenticated")


async def test_a_session_in_a_cookie_has_no_end_that_we_could_see(hub: Hub, settings: Any) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    eve = await _login("eve")
    run = await stored(user=eve.user)
    watching = await Watching(run, [eve.cookie]).open()
    await eve.client.alogout()
    await asyncio.sleep(RECHECK * 5)  # some rounds
    await watching.reach(2)
    # The user has one.
    await sync_to_async(get_user_model().objects.update)(is_active=False)
    await watching.ended(CloseCode.NOT_AUTHENTICATED, "not_authenticated")


async def test_a_stream_that_has_ended_is_not_asked_for(hub: Hub) -> None:
    run = await stored()
    rights = hub.rights
    identity = await sync_to_async(Identity.of)(AnonymousUser(), None)
    watcher = hub.watch(run, 0, "sse", Admission(identity, None, run.pk, "stream"))
    assert list(rights._held) == [watcher]
    watcher.close()
    assert rights._held == {}
    watcher.deny(Refusal(403, "forbidden", "x"))
    assert watcher.refusal is None
    await settle()
