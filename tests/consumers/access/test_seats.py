"""Each place is given back exactly once, however its client goes."""

import asyncio
import random
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import ThreadSensitiveContext
from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIHandler
from django.db.backends.signals import connection_created

from consumers.access.limits import Limits
from consumers.asgi import Message, Receive
from consumers.feeds.hub import Hub
from consumers.paths import run_path
from consumers.routing import websocket_application
from consumers.streams.takeover import TakeOver

from ..conftest import Login
from ..connections import events_path
from ..loops import settle
from ..rows import emit, stored
from .visits import VISITOR, allow

pytestmark = pytest.mark.usefixtures("limits")


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
