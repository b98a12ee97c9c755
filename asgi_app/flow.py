"""Back-pressure under daphne: ``await send()`` waits while a reader does not read.

daphne's own send() never waits: what a reader does not take stays in this process, all of
it. Twisted knows when that is too much, and tells whoever is registered as the connection's
push producer. So the ``send`` that daphne hands over (``partial(server.handle_reply,
protocol)``) is where the connection is found, and what wraps it is the producer::

    application ── send() ──► Producer ── daphne ── twisted.web, autobahn ──► transport
                               ▲                                                 │
                               └── pauseProducing, above 64 KiB buffered ◄───────┘
                                   resumeProducing, when all of it has gone

* HTTP: registered with the request at the first part of a body that has more, and no
  longer when its last part is sent, or keep-alive would break. An answer in one piece costs
  nothing. Over HTTP/2 the request's stream tells, by its window.
* WebSocket: registered with the transport at the accept, in the place of the HTTP channel,
  which is left there by the upgrade. autobahn unregisters it when it drops the connection.
* Parts of a stream, and frames, are written at once where nothing waits before them, see
  :mod:`asgi_app.eager`; over TLS by Twisted alone.
* A reader that takes nothing for ``STUCK`` seconds while somebody waits for it is cut off:
  a WebSocket is told 4408 and has a moment to hear it, a stream just ends. Who vanished
  without a word, and who is stuck with less than 64 KiB, is left to the kernel.
* An application that has bytes ready for the wire may write them straight to the socket, past
  daphne and autobahn, which take longer than the system call; see :data:`consumers.asgi.FRAMES`.

All applications behind :class:`~asgi_app.application.Headway` have this. Under any other
server nothing changes: they have back-pressure of their own.
"""

import asyncio
from collections.abc import Callable

from asgi_app import leftovers
from asgi_app.chunked import as_it_is, chunked
from asgi_app.producer import MOMENT, Producer
from asgi_app.protocol import protocol_behind
from consumers.asgi import FRAMES, ASGIApp, Message, Receive, Scope, Send, Write
from consumers.wire import CloseCode

__all__ = ["flowing"]


async def flowing(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run *app*, with a send() that waits for its reader."""
    protocol = protocol_behind(send)
    if protocol is None or scope["type"] not in ("http", "websocket"):
        await app(scope, receive, send)
        return
    kind: type[Producer] = StreamFlow if scope["type"] == "http" else SocketFlow
    flow = kind(protocol, receive, send)
    scope = {**scope, "extensions": {**scope.get("extensions", {}), FRAMES: flow}}
    try:
        running = app(scope, flow.receive, flow.send)
        del scope, receive, send  # they would live for as long as this frame does
        await running
    finally:
        flow.end()
        flow.inbox.close()


class StreamFlow(Producer):
    """An HTTP response."""

    transport = "http"

    async def send(self, message: Message) -> None:
        begun = self._transport
        if message["type"] == "http.response.body":
            if self._protocol.method == b"HEAD":  # daphne leaves out the first part only
                message = {**message, "body": b""}
            if not message.get("more_body"):
                self.end()
            elif self._transport is None:
                self._begin()
        await self._send(message)
        if self._transport is not None and begun is None:
            leftovers.strip(self._protocol)
        if self._drained is not None:
            await self._room()

    @property
    def framing(self) -> Callable[[bytes], bytes]:
        return chunked if self._protocol.chunked else as_it_is

    def open(self, shut: Callable[[], None]) -> Write | None:
        request = self._protocol
        over = request.finished or request.method == b"HEAD"
        return None if over else super().open(shut)

    def _begin(self) -> None:
        request = self._protocol
        channel = getattr(request, "channel", None)  # absent or None when it is over
        if channel is None or request.producer is not None:
            return
        request.registerProducer(self, True)
        # A stream of HTTP/2 is its own transport.
        self._hold(channel.transport or channel)

    def _unregister(self) -> None:
        request = self._protocol
        if getattr(request, "channel", None) is not None and request.producer is self:
            request.unregisterProducer()

    async def _cut_off(self) -> None:
        self._transport.abortConnection()
        self.resumeProducing()


class SocketFlow(Producer):
    """A WebSocket."""

    transport = "websocket"
    _closed: asyncio.Event | None = None  # once it was told to go

    async def send(self, message: Message) -> None:
        if self._closed is not None:
            await self._closed.wait()
            return
        kind = message["type"]
        if kind == "websocket.close" and message.get("code") == CloseCode.TOO_MANY:
            self._protocol.closeHandshakeTimeout = MOMENT  # it is counted no more
        if kind == FRAMES:
            self._write(message["frames"])
        elif kind != "websocket.send" or self._is_open():
            # Not after the client's close frame, of which we hear only when the TCP
            # connection ends: autobahn would raise.
            await self._send(message)
        if kind == "websocket.accept":
            self._begin()
        elif self._drained is not None and kind != "websocket.close":
            await self._room()

    def open(self, shut: Callable[[], None]) -> Write | None:
        clear = self._closed is None and self._is_open() and not self._protocol.send_queue
        return super().open(shut) if clear else None

    def _begin(self) -> None:
        transport = self._protocol.transport
        if self._transport is None and self._is_open() and transport is not None:
            transport.unregisterProducer()
            transport.registerProducer(self, True)
            # The HTTP channel has it paused where frames came behind the handshake.
            transport.resumeProducing()
            self._hold(transport)

    def _unregister(self) -> None:
        if self._protocol.state != self._protocol.STATE_CLOSED:  # else autobahn has done so
            self._transport.unregisterProducer()

    def _is_open(self) -> bool:
        return bool(self._protocol.state == self._protocol.STATE_OPEN)

    def _write(self, frames: bytes) -> None:
        """Nothing may follow a close frame, nor overtake what autobahn has queued."""
        protocol = self._protocol
        if self._is_open():
            (protocol.sendData if protocol.send_queue else protocol.transport.write)(frames)

    async def _cut_off(self) -> None:
        self._closed = closed = asyncio.Event()
        self._protocol.is_closed.addBoth(lambda _: closed.set())
        await self._send({"type": "websocket.close", "code": int(CloseCode.TOO_SLOW)})
        try:
            async with asyncio.timeout(MOMENT):
                await closed.wait()
        except TimeoutError:
            self._protocol.transport.abortConnection()
            await closed.wait()
        self.resumeProducing()
