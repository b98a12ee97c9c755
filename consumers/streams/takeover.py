"""Serving event streams outside of Django, once Django has answered for them.

Django's handler keeps a thread, and the database connection the view has used, for as
long as a response streams. So the view only decides: it leaves a stream in the scope
and returns an empty response with the stream's headers. This wrapper holds that
response's start back until Django is done with the request and has let everything go,
and then writes the stream itself, with the headers and cookies that Django's whole
middleware has made.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from consumers.asgi import FRAMES, Direct, Message, Receive, Scope, Send
from consumers.streams.pump import Source, pump

__all__ = ["SCOPE_KEY", "Slot", "Stream", "TakeOver"]

#: Where in the scope the view finds the slot for its stream.
SCOPE_KEY = "headway.takeover"

# Of the empty response, not of the stream.
_DROPPED = frozenset({b"content-length", b"etag"})


class Stream(Protocol):
    """A stream to be served."""

    opening: bytes

    @property
    def watcher(self) -> Source[Any]:
        """What there is to write."""

    async def encode(self, item: Any) -> bytes:
        """The bytes to write for an item of the watcher."""

    def hurry(self, direct: Direct) -> None:
        """Have news written to *direct* while the watcher waits, if they can be."""

    def close(self) -> None:
        """Release everything. Safe to call twice."""


class Slot:
    """Carries a stream from the view to the wrapper; copies of the scope share it."""

    stream: Stream | None = None
    _over = False

    def take(self, stream: Stream) -> None:
        """Serve it. A view that goes on when its request is over leaves nothing open."""
        if self._over:
            stream.close()
        else:
            self.stream = stream

    def close(self) -> None:
        self._over = True
        if self.stream is not None:
            self.stream.close()


class TakeOver:
    """ASGI middleware around Django's handler."""

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        slot = Slot()
        exchange = _Exchange(slot, receive, send, scope.get("extensions", {}).get(FRAMES))
        try:
            with _unswallowed():
                await self._application({**scope, SCOPE_KEY: slot}, exchange.receive, exchange.send)
            del scope, receive, send  # they would live for as long as the stream does
            if slot.stream is not None and exchange.held is not None:
                with suppress(OSError):  # how ASGI servers may say that the client has gone
                    await exchange.serve(slot.stream)
        finally:
            slot.close()


@contextmanager
def _unswallowed() -> Iterator[None]:
    """Cancelled is who was cancelled within.

    Django takes it for the end of a task of its own when it comes while that one ends; nobody
    would cancel the stream again.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    yield
    if task and task.cancelling() > before:
        raise asyncio.CancelledError


class _Exchange:
    """One request: Django's side of it first, then the stream's."""

    def __init__(self, slot: Slot, receive: Receive, send: Send, direct: Direct | None) -> None:
        self.held: Message | None = None
        self._slot = slot
        self._receive = receive
        self._send = send
        self._direct = direct
        self._disconnected = False

    async def receive(self) -> Message:
        message = await self._receive()
        # Servers say it once, and Django may be the one who hears it.
        self._disconnected = message["type"] == "http.disconnect"
        return message

    async def send(self, message: Message) -> None:
        if self.held is not None:
            return  # the empty body
        if message["type"] == "http.response.start" and self._is_stream(message):
            self.held = message
        else:
            await self._send(message)

    def _is_stream(self, start: Message) -> bool:
        # Middleware may have answered in the view's place, with an error for example.
        types = [value for name, value in start["headers"] if name.lower() == b"content-type"]
        return (
            self._slot.stream is not None
            and start["status"] in (200, 201)
            and types[:1] != []
            and types[0].startswith(b"text/event-stream")
        )

    async def serve(self, stream: Stream) -> None:
        if self._disconnected:
            return
        await self._send(self._start())
        await self._write(stream.opening)
        stream.opening = b""  # which may have a snapshot of any size
        if self._direct is not None:
            stream.hurry(self._direct)

        async def write(item: Any) -> None:
            await self._write(await stream.encode(item))

        await pump(stream.watcher, write, self._until_gone())
        if not self._disconnected:
            await self._write(b"", more=False)

    def _start(self) -> Message:
        """What was held back, and is no more."""
        assert self.held is not None
        start, self.held = self.held, {}
        kept = [pair for pair in start["headers"] if pair[0].lower() not in _DROPPED]
        return {**start, "headers": kept}

    async def _write(self, body: bytes, more: bool = True) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def _until_gone(self) -> None:
        while not self._disconnected:
            await self.receive()
