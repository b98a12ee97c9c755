"""Rights that end while somebody watches: every kind of stream closes, and says why."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from time import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.db import OperationalError, connections
from django.test.utils import CaptureQueriesContext

from consumers.access.admission import Admission
from consumers.access.auth import Action, admit
from consumers.access.identity import Identity, gone
from consumers.access.rights import Rights
from consumers.access.visitor import Visitor
from consumers.feeds.hub import Hub
from consumers.refusal import Refusal
from consumers.wire import CloseCode
from tasks import grants
from tasks.handles import get_handle
from tasks.models import TaskRun

from .conftest import Login, _login
from .loops import settle
from .rows import emit, stored
from .streams import PATIENCE, HttpStream, events_path, socket
from .test_bundlesocket import Client
from .test_websocket import closing, opened

RECHECK = 0.02


@pytest.fixture(autouse=True)
def often(settings: Any) -> None:
    settings.HEADWAY = {"RECHECK": RECHECK}


End = Callable[[], Any]


class Watching:
    """One watcher of each kind: two runs' worth of streams and sockets."""

    def __init__(self, run: TaskRun, headers: Any) -> None:
        self.run = run
        self.headers = headers

    async def open(self) -> "Watching":
        many = f"run={self.run.pk}"
        self.stream = await HttpStream(events_path(self.run.pk), headers=self.headers).open()
        self.streams = await HttpStream("/tasks/events/", many, headers=self.headers).open()
        self.socket = await opened(socket(self.run.pk, headers=self.headers))
        self.sockets = await Client(headers=self.headers).open()
        assert (self.stream.status, self.streams.status) == (200, 200)
        assert (await self.sockets.ask("subscribe", run=self.run.pk, ref=7))["ok"]
        await self.reach(1)
        return self

    async def reach(self, seq: int) -> None:
        """All of them get the event that is emitted now."""
        await emit(self.run, 1)
        assert json.loads((await self.socket.receive_output(PATIENCE))["text"])["seq"] == seq
        assert (await self.sockets.hear())["seq"] == seq
        await self.stream.until(seq)
        while f'"seq":{seq},'.encode() not in await self.streams.chunk():
            pass

    async def ended(self, code: CloseCode, reason: str) -> None:
        """All have ended, with nothing more of the run."""
        for stream in (self.stream, self.streams):
            assert b"data:" not in await stream.body()
        assert (await closing(self.socket))[0] == code
        frame = await self.sockets.ws.receive_output(PATIENCE)
        if frame["type"] == "websocket.send":
            said = json.loads(frame["text"])
            assert (said["op"], said["ref"], said["error"]["code"]) == ("ended", 7, reason)
            self.socket_stays = True
        else:
            assert frame["code"] == code
            self.socket_stays = False


async def again(run: TaskRun, headers: Any) -> list[int]:
    """What clients hear that come again."""
    stream = await HttpStream(events_path(run.pk), headers=headers).open()
    code, _ = await closing(await opened(socket(run.pk, headers=headers)))
    return [stream.status, code]


def log_out(ann: Login) -> Any:
    return ann.client.alogout()


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


class Rule:
    """AUTHZ that changes its mind, and counts how often it is asked."""

    def __init__(self) -> None:
        self.answer: Any = True
        self.asked = 0
        self.threads: set[str] = set()

    def __call__(self, user: Any, run: TaskRun, action: str) -> Any:
        self.asked += 1
        self.threads.add(threading.current_thread().name)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def asynchronous(self, user: Any, run: TaskRun, action: str) -> Any:
        await sync_to_async(self)(user, run, action)
        return self(user, run, action)


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("answer", [False, None, LookupError("told to")])
async def test_a_changed_answer(hub: Hub, settings: Any, kind: str, answer: Any) -> None:
    rule = Rule()
    settings.HEADWAY |= {"AUTHZ": rule if kind == "sync" else rule.asynchronous}
    run = await stored()
    watching = await Watching(run, []).open()
    rule.answer = answer
    await watching.ended(CloseCode.NOT_AUTHENTICATED, "not_authenticated")
    assert watching.socket_stays
    await watching.sockets.leave()
    # What queries has the thread that is there for it, of async rules as well.
    assert "headway-authz" in rule.threads


async def test_an_outage_is_no_answer(hub: Hub, settings: Any) -> None:
    rule = Rule()
    settings.HEADWAY |= {"AUTHZ": rule}
    run = await stored()
    watching = await Watching(run, []).open()
    asked, rule.answer = rule.asked, OperationalError("the server is away")
    while rule.asked < asked + 3:  # noqa: ASYNC110
        await asyncio.sleep(RECHECK)  # it is a thread's event
    rule.answer = True
    await watching.reach(2)
    rule.answer = False
    await watching.ended(CloseCode.NOT_AUTHENTICATED, "not_authenticated")
    await watching.sockets.leave()


async def test_a_rule_that_hangs_holds_up_itself_alone(hub: Hub, settings: Any, ann: Login) -> None:
    entered, leave = threading.Event(), threading.Event()

    def rule(user: Any, run: TaskRun, action: str) -> bool:
        if threading.current_thread().name == "headway-authz":
            entered.set()
            leave.wait(PATIENCE)
        return True

    settings.HEADWAY |= {"AUTHZ": rule}
    run = await stored(user=ann.user)
    watching = await Watching(run, [ann.cookie]).open()
    await asyncio.to_thread(entered.wait, PATIENCE)
    try:
        await watching.reach(2)
        await log_out(ann)
        await watching.ended(CloseCode.NOT_AUTHENTICATED, "not_authenticated")
    finally:
        leave.set()


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


async def test_a_stalled_replay_ends_as_well(hub: Hub, ann: Login) -> None:
    """In the middle of a long log: not one more event."""
    run = await stored(events=2_000, user=ann.user)
    stream = await HttpStream(events_path(run.pk), headers=[ann.cookie]).open()
    assert b"retry" in await stream.chunk()
    await log_out(ann)
    body = await stream.body()
    assert stream.ended
    assert body.count(b"\n\n") <= 2_000


# What it costs


async def stay(users: list[Login], runs: list[TaskRun]) -> list[Admission]:
    found = []
    for user in users:
        for run in runs:
            who = Visitor(lambda user=user: user.user, _session_of(user))  # type: ignore[misc]
            found.append((await admit(who, str(run.pk), Action.STREAM)).admission)
    return found


def _session_of(user: Login) -> Callable[[], Any]:
    from django.contrib.sessions.backends.db import SessionStore

    key = user.client.cookies["sessionid"].value
    return lambda: SessionStore(key)


@pytest.mark.parametrize("count", [1, 20])
async def test_as_many_queries_for_a_thousand_as_for_one(
    transactional_db: None, settings: Any, count: int
) -> None:
    rule = Rule()
    settings.HEADWAY |= {"AUTHZ": rule}
    users = [await _login(f"user {number}") for number in range(count)]
    runs = [await stored() for _ in range(count)]
    held = await stay(users, runs)
    for run in runs:
        grant = grants.read(grants.make(run.pk, "stream", 0, 60.0))
        held.append(Admission(None, grant, run.pk, Action.STREAM))
    rights, seen = Rights(), Counted()
    rule.asked = 0
    try:
        await seen.counting(rights._facts, lambda: rights._look(held))
        assert seen.count == 3  # users, sessions, grants
        await seen.counting(rights._rule, lambda: rights._ask(held))
        assert seen.count == 1  # runs
    finally:
        rights._facts.close()
        rights._rule.close()
    assert rule.asked == count**2


class Counted:
    """Queries of a thread of its own."""

    count = 0

    async def counting(self, thread: Any, act: Callable[[], Awaitable[Any]]) -> None:
        context: list[CaptureQueriesContext] = []

        def begin() -> None:
            connection = connections["default"]
            connection.ensure_connection()
            context.append(CaptureQueriesContext(connection).__enter__())

        await thread.call(begin)
        assert await act() == {}
        await thread.call(lambda: context[0].__exit__(None, None, None))
        self.count = len(context[0])


async def test_many_streams_of_a_user_on_a_run_are_one_question(
    transactional_db: None, settings: Any, ann: Login
) -> None:
    rule = Rule()
    settings.HEADWAY |= {"AUTHZ": rule}
    run = await stored()
    held = [*await stay([ann] * 50, [run])]
    held += [(await admit(AnonymousUser, str(run.pk), Action.STREAM)).admission for _ in range(50)]
    rights, rule.asked = Rights(), 0
    assert await rights._ask(held) == {}
    rights._rule.close()
    assert rule.asked == 2
    assert len({one.identity for one in held}) == 2


async def test_nothing_is_asked_while_nobody_watches(hub: Hub) -> None:
    await asyncio.sleep(RECHECK * 5)  # some rounds
    names = {thread.name for thread in threading.enumerate()}
    assert not {"headway-rights", "headway-authz"} & names


async def test_a_slow_rule_rests(settings: Any) -> None:
    """So that it takes a quarter of its thread, however many watch."""
    rights = Rights()
    began: list[float] = []
    loop = asyncio.get_running_loop()

    async def look(admissions: Any) -> dict[Any, Any]:
        began.append(loop.time())
        await asyncio.sleep(0.1)  # it takes so long
        return {}

    task = asyncio.create_task(rights._repeat("Trying", look, 0.25))
    async with asyncio.timeout(PATIENCE):
        while len(began) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # it is seen by its effect
    task.cancel()
    assert began[2] - began[1] >= 0.35


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
