"""The wrapper around Django: which responses it takes over, and how it lets go."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest

from consumers.asgi import FRAMES, Message, Receive, Scope, Send, Write
from consumers.feeds.feed import Feed
from consumers.feeds.replay import Replay
from consumers.feeds.watcher import Watcher
from consumers.streams.sse import RunStream
from consumers.streams.takeover import SCOPE_KEY, TakeOver

from ..fakes import FakeLog, envelope_of
from ..loops import settle

RUN = uuid4()
HEADERS = [
    (b"Content-Type", b"text/event-stream; charset=utf-8"),
    (b"Content-Length", b"0"),
    (b"ETag", b'"of nothing"'),
    (b"Set-Cookie", b"a=1"),
    (b"Set-Cookie", b"b=2"),
]


class Inner:
    """What stands in for Django: answers with a stream in the slot."""

    def __init__(self, headers: Any = None, status: int = 200, fail: bool = False) -> None:
        self.feed = Feed(RUN, "group", 1_000_000)
        self.headers = HEADERS if headers is None else headers
        self.status = status
        self.fail = fail
        self.returned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        watcher = Watcher(self.feed, Replay(FakeLog(), 1_000), 0, lambda feed: None)
        # A copy, as middleware in between makes it.
        dict(scope)[SCOPE_KEY].take(RunStream(watcher, b"opening"))
        if self.fail:
            raise LookupError("inside")
        await receive()
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": b"inner"})
        self.returned = True

    def emit(self, seq: int, type_: str = "step") -> None:
        self.feed.offer(seq, [envelope_of(RUN, seq, type_)])


class Client:
    """The server's side of one request."""

    def __init__(self, inner: Any) -> None:
        self.sent: list[Message] = []
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.messages.put_nowait({"type": "http.request", "body": b""})
        self.send_fails: OSError | None = None
        self.extensions: dict[str, Any] = {}
        self._application = TakeOver(inner)

    def request(self) -> "asyncio.Task[None]":
        scope = {"type": "http", "path": "/", "extensions": self.extensions}
        return asyncio.create_task(self._application(scope, self.messages.get, self.send))

    async def send(self, message: Message) -> None:
        if self.send_fails is not None:
            raise self.send_fails
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


async def test_the_stream_begins_when_the_inner_application_is_done() -> None:
    inner = Inner()
    client = Client(inner)
    before = asyncio.all_tasks()
    request = client.request()
    await settle()
    assert inner.returned
    assert client.sent[0]["status"] == 200
    assert client.sent[0]["headers"] == [HEADERS[0], *HEADERS[3:]]
    inner.emit(1, "finished")
    await request
    assert client.body.startswith(b"openingid: 1\n")
    assert b"inner" not in client.body
    assert client.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert inner.feed.listeners == set()
    await settle()
    assert asyncio.all_tasks() == before


class Deaf(Inner):
    """Takes a cancellation for something of its own, as Django does in a certain moment."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)
        with suppress(asyncio.CancelledError):
            await asyncio.get_running_loop().create_future()


async def test_who_is_cancelled_is_whatever_the_inner_application_makes_of_it() -> None:
    inner = Deaf()
    client = Client(inner)
    request = client.request()
    await settle()
    request.cancel()
    await asyncio.wait([request])
    assert request.cancelled()
    assert client.sent == []
    assert inner.feed.listeners == set()


class Straight:
    """A connection that lets its socket be written to."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    @property
    def framing(self) -> Callable[[bytes], bytes]:
        return bytes

    def open(self, _shut: Callable[[], None]) -> Write:
        return self._write

    def finish(self, data: bytes) -> None:
        raise AssertionError("it takes everything")

    def _write(self, data: bytes) -> int:
        self.written.append(data)
        return len(data)


async def test_news_are_written_past_a_server_that_takes_them() -> None:
    inner = Inner()
    client = Client(inner)
    socket = client.extensions[FRAMES] = Straight()
    request = client.request()
    await settle()
    inner.emit(1)
    await settle()
    inner.emit(2, "finished")
    await request
    assert [data[:6] for data in socket.written] == [b"id: 1\n", b"id: 2\n"]
    assert client.body == b"opening"
    assert client.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(b"content-type", b"text/html")], 200),
        ([], 200),
        (HEADERS, 500),
        (HEADERS, 304),
    ],
)
async def test_an_answer_in_the_views_place_passes(headers: Any, status: int) -> None:
    inner = Inner(headers, status)
    client = Client(inner)
    await client.request()
    assert client.sent[0]["headers"] == headers
    assert client.body == b"inner"
    assert inner.feed.listeners == set()


async def test_a_failing_inner_application_leaves_nothing() -> None:
    inner = Inner(fail=True)
    with pytest.raises(LookupError):
        await Client(inner).request()
    assert inner.feed.listeners == set()


async def test_the_client_goes() -> None:
    inner = Inner()
    client = Client(inner)
    request = client.request()
    await settle()
    client.messages.put_nowait({"type": "http.disconnect"})
    await request
    assert inner.feed.listeners == set()
    assert client.sent[-1]["more_body"]


async def test_the_client_has_gone_while_the_inner_application_worked() -> None:
    """Servers say it once, and it was Django who heard it."""
    inner = Inner()
    client = Client(inner)
    client.messages.get_nowait()
    client.messages.put_nowait({"type": "http.disconnect"})
    await client.request()
    assert client.sent == []
    assert inner.feed.listeners == set()


async def test_a_server_that_says_it_by_an_error() -> None:
    inner = Inner()
    client = Client(inner)
    request = client.request()
    await settle()
    client.send_fails = ConnectionResetError()
    inner.emit(1)
    await request
    assert inner.feed.listeners == set()


async def test_the_server_cancels() -> None:
    inner = Inner()
    client = Client(inner)
    before = asyncio.all_tasks()
    request = client.request()
    await settle()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await settle()
    assert inner.feed.listeners == set()
    assert asyncio.all_tasks() == before


async def test_other_scopes_pass() -> None:
    seen: list[Scope] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    scope = {"type": "websocket"}
    await TakeOver(inner)(scope, None, None)  # type: ignore[arg-type]
    assert seen == [scope]
    assert seen[0] is scope
