"""Limits on streams: who is refused, and that each place is given back exactly once."""

import asyncio
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import ThreadSensitiveContext
from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIHandler
from django.db.backends.signals import connection_created
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from consumers.access.limits import Limits, Pace, Seat, get_limits
from consumers.asgi import Message, Receive
from consumers.feeds.hub import Hub
from consumers.paths import run_path
from consumers.refusal import TooMany
from consumers.routing import websocket_application
from consumers.streams.takeover import TakeOver
from consumers.wire import CloseCode
from tasks.models import TaskRun

from .conftest import Login
from .loops import settle
from .rows import emit, stored
from .streams import PATIENCE, HttpStream, events_path, socket

VISITOR = "192.0.2.7"


@pytest.fixture(autouse=True)
def limits() -> Iterator[Limits]:
    get_limits.cache_clear()
    yield get_limits()
    get_limits.cache_clear()


def of(address: str | None) -> dict[str, Any]:
    return {"client": address and (address, 4711)}


def user(pk: int | None) -> Any:
    return SimpleNamespace(pk=pk, is_authenticated=pk is not None)


def allow(settings: Any, **keys: Any) -> None:
    settings.HEADWAY = {"AUTHZ": lambda user, run, action: True} | {
        key.upper(): value for key, value in keys.items()
    }


# The counts


def test_a_process_has_so_many(settings: Any, limits: Limits) -> None:
    allow(settings, streams=2)
    first, second = (limits.enter(of(None), "sse") for _ in range(2))
    with pytest.raises(TooMany) as refused:
        limits.enter(of(VISITOR), "sse")
    assert (refused.value.status, refused.value.close_code) == (503, CloseCode.TOO_MANY)
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 10
    assert limits.held("address", VISITOR) == 0  # it was refused as a whole
    first.release()
    first.release()
    limits.enter(of(VISITOR), "sse")
    with pytest.raises(TooMany):
        limits.enter(of(None), "sse")
    second.release()


def test_an_address_has_so_many_and_this_machine_any_number(settings: Any, limits: Limits) -> None:
    allow(settings, address_streams=2)
    for _ in range(2):
        limits.enter(of(VISITOR), "sse")
    with pytest.raises(TooMany):
        limits.enter(of(VISITOR), "websocket")
    for address in ("192.0.2.8", "127.0.0.1", "127.0.0.1", "127.0.0.1"):
        limits.enter(of(address), "sse")
    assert limits.held("process") == 6


def test_a_user_has_so_many_wherever_they_are(settings: Any, limits: Limits) -> None:
    allow(settings, user_streams=2)
    for address in (VISITOR, "192.0.2.8"):
        limits.enter(of(address), "sse").hold_for(user(7))
    with limits.enter(of("192.0.2.9"), "sse") as seat, pytest.raises(TooMany):
        seat.hold_for(user(7))
    assert limits.held("process") == 2
    for other in (8, None, None, None):
        limits.enter(of(None), "sse").hold_for(user(other))


def test_an_address_comes_so_often(settings: Any, limits: Limits) -> None:
    allow(settings, connect_rate=0.5)
    for _ in range(5):
        limits.enter(of(VISITOR), "sse").release()
    with pytest.raises(TooMany) as refused:
        limits.enter(of(VISITOR), "sse")
    assert int(refused.value.headers["Retry-After"]) >= 2
    assert limits.held("process") == 0
    limits.enter(of("192.0.2.8"), "sse").release()


def test_zero_is_no_limit(settings: Any, limits: Limits) -> None:
    names = ("streams", "user_streams", "address_streams", "connect_rate", "message_rate")
    allow(settings, **dict.fromkeys(names, 0))
    pace = Pace()
    for _ in range(20_000):
        limits.enter(of(VISITOR), "sse").hold_for(user(1))
        pace.step()
    assert limits.held("user", "1") == 20_000


def test_who_talks_too_fast_is_told(settings: Any) -> None:
    allow(settings, message_rate=1)
    pace = Pace()
    for _ in range(10):
        pace.step()
    with pytest.raises(TooMany):
        pace.step()


STEPS = st.lists(
    st.tuples(
        st.sampled_from([None, "192.0.2.1", "192.0.2.2", "2001:db8::1"]),
        st.sampled_from([None, 1, 2]),
        # What becomes of the view: it is done, it fails, or its stream lives on.
        st.sampled_from(["done", "fails", "kept", "kept twice", "late"]),
    ),
    max_size=60,
)


@given(steps=STEPS, rng=st.randoms(use_true_random=False))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counts_are_what_is_open(settings: Any, steps: Any, rng: random.Random) -> None:
    allow(settings, streams=12, user_streams=5, address_streams=6)
    limits = Limits()
    kept: list[tuple[Seat, str | None, int | None]] = []
    for address, who, fate in steps:
        with suppress(TooMany, LookupError), limits.enter(of(address), "sse") as seat:
            seat.hold_for(user(who))
            if fate.startswith("kept"):
                kept.append((seat.keep(), address, who))
            if fate == "fails":
                raise LookupError
        if fate == "late":
            seat.hold_for(user(who))  # whose request is over already
        if kept and rng.random() < 0.4:
            ended, _, _ = kept.pop(rng.randrange(len(kept)))
            for _ in range(rng.randint(1, 3)):
                ended.release()
        assert limits.held("process") == len(kept) <= 12
        for number in (1, 2):
            assert limits.held("user", str(number)) == sum(w == number for _, _, w in kept) <= 5
        addresses = Counter(address for _, address, _ in kept)
        for one in ("192.0.2.1", "192.0.2.2"):
            assert limits.held("address", one) == addresses[one] <= 6
    for seat, _, _ in kept:
        seat.release()
    assert limits._held == {}  # nobody is remembered for having been here


# Through the real routing, views, login and hub


async def test_an_event_stream_too_many(
    settings: Any, hub: Hub, ann: Login, limits: Limits
) -> None:
    allow(settings, user_streams=1)
    run = await stored()
    path = events_path(run.pk)
    first = await HttpStream(path, headers=[ann.cookie]).open()
    second = await HttpStream(path, headers=[ann.cookie]).open()
    assert (first.status, second.status) == (200, 503)
    assert second.json["error"]["code"] == "too_many"
    assert int(second.headers["retry-after"]) >= 1
    many = await HttpStream("/tasks/events/", f"run={run.pk}", [ann.cookie]).open()
    assert many.status == 503
    page = [(b"accept", b"application/json"), ann.cookie]
    assert (await HttpStream(path, headers=page).open()).status == 200
    await first.disconnect()
    assert limits.held("process") == limits.held("user", str(ann.user.pk)) == 0
    third = await HttpStream(path, headers=[ann.cookie]).open()
    assert third.status == 200
    await third.disconnect()


async def test_a_run_is_not_enqueued_for_a_stream_too_many(
    settings: Any, hub: Hub, limits: Limits
) -> None:
    allow(settings, streams=1)
    limits.enter(of(None), "sse")
    headers = [(b"content-type", b"application/json"), (b"accept", b"text/event-stream")]
    headers += [(b"cookie", b"csrftoken=" + b"a" * 32), (b"x-csrftoken", b"a" * 32)]
    body = json.dumps({"task": "tests.app.tasks.add", "args": [1, 2]}).encode()
    answer = await HttpStream("/tasks/", headers=headers, method="POST").open(body)
    assert answer.status == 503
    assert not await TaskRun.objects.aexists()


@pytest.mark.parametrize("path", ["run", "/ws/tasks/"])
async def test_a_websocket_too_many(
    settings: Any, hub: Hub, ann: Login, limits: Limits, path: str
) -> None:
    allow(settings, user_streams=1)
    run = await stored()
    path = run_path(run.pk) if path == "run" else path
    first, second = (socket(path, headers=[ann.cookie]) for _ in range(2))
    assert await first.connect(PATIENCE) == (True, None)
    assert await second.connect(PATIENCE) == (True, None)
    closed = await second.receive_output(PATIENCE)
    assert (closed["type"], closed["code"]) == ("websocket.close", CloseCode.TOO_MANY)
    assert limits.held("process") == 1
    await first.disconnect(timeout=PATIENCE)
    assert limits.held("process") == limits.held("user", str(ann.user.pk)) == 0


@pytest.mark.parametrize("path", ["run", "/ws/tasks/"])
async def test_a_websocket_that_talks_too_fast(
    settings: Any, hub: Hub, limits: Limits, path: str
) -> None:
    allow(settings, message_rate=1)
    run = await stored()
    ws = socket(run_path(run.pk) if path == "run" else path)
    assert await ws.connect(PATIENCE) == (True, None)
    for _ in range(11):
        await ws.send_json_to({"op": "ping"})
    heard = [await ws.receive_output(PATIENCE)]
    while heard[-1]["type"] == "websocket.send":
        heard.append(await ws.receive_output(PATIENCE))
    texts = [message["text"] for message in heard if message["type"] == "websocket.send"]
    assert heard[-1]["code"] == CloseCode.TOO_MANY
    assert sum('"pong"' in text for text in texts) == 10
    assert limits.held("process") == 0


class Aborted:
    """A client of the raw application that goes, or is cancelled, after some turns of the loop."""

    def __init__(self, run_id: UUID, cookie: tuple[bytes, bytes], rng: random.Random) -> None:
        self._rng = rng
        websocket = rng.random() < 0.5
        one = rng.random() < 0.5
        kind = "websocket" if websocket else "http"
        path = run_path(run_id) if one else "/ws/tasks/"
        if not websocket:
            path = events_path(run_id) if one else "/tasks/events/"
        self._scope = {
            "type": kind,
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": f"run={run_id}&after=latest".encode(),
            "headers": [(b"host", b"testserver"), cookie],
            "client": (VISITOR, 4711),
            "server": ("testserver", 80),
        }
        self._application: Any = websocket_application
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._messages.put_nowait({"type": "websocket.connect"})
        if not websocket:
            self._application = TakeOver(get_asgi_application())
            self._messages = asyncio.Queue()
            self._messages.put_nowait({"type": "http.request", "body": b""})
        self._gone = {"type": f"{kind}.disconnect", "code": 1006}

    async def _send(self, message: Message) -> None:
        if self._rng.random() < 0.1:
            raise OSError("gone")
        await asyncio.sleep(0)  # as a server's, it lets others go first

    async def live(self, threads: Executor) -> None:
        task = asyncio.ensure_future(self._request(threads))
        for _ in range(self._rng.randrange(120)):
            # Chance decides at which turn it goes, and threads that query go on meanwhile.
            pause = 0 if self._rng.random() < 0.8 else 0.001
            await asyncio.sleep(pause)  # by chance: when it goes is what is tried
        if self._rng.random() < 0.5:
            self._messages.put_nowait(self._gone)
            await asyncio.wait([task], timeout=self._rng.uniform(0, 0.1))
        task.cancel()
        await asyncio.wait([task])

    async def _request(self, threads: Executor) -> None:
        async with ThreadSensitiveContext(executor=threads):
            await self._application(self._scope, self._messages.get, self._send)


async def no_body(handler: ASGIHandler, receive: Receive) -> BytesIO:
    """As Django's, which leaves the file to the collector where it is cancelled."""
    await receive()
    return BytesIO()


@pytest.fixture
def threads() -> Iterator[Executor]:
    """For requests that are cancelled. Of those with a thread of their own, Django leaves the
    connections to the collector: newer Pythons complain, in whatever test it comes to them.
    """
    opened: list[Any] = []

    def note(connection: Any, **_: object) -> None:
        if threading.current_thread().name.startswith("request"):
            opened.append(connection.connection)

    connection_created.connect(note)
    with ThreadPoolExecutor(4, thread_name_prefix="request") as pool:
        yield pool
    connection_created.disconnect(note)
    for connection in opened:
        connection.close()


@pytest.mark.embedded
@pytest.mark.timeout(120)
async def test_nobody_keeps_a_place_however_they_go(
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    hub: Hub,
    ann: Login,
    limits: Limits,
    threads: Executor,
) -> None:
    monkeypatch.setattr(ASGIHandler, "read_body", no_body)
    allow(settings, user_streams=5, connect_rate=0)
    run = await stored()
    await emit(run, 5)
    rng = random.Random(4)
    for _ in range(20):
        clients = [Aborted(run.pk, ann.cookie, rng) for _ in range(10)]
        async with asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(client.live(threads))
    for _ in range(500):
        if not limits._held:
            break
        await asyncio.sleep(0.01)  # views that were cancelled in a thread end with it
    await settle()
    assert limits._held == {}
    assert hub.watched == 0
    assert hub.bundles == set()
