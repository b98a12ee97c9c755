"""Back-pressure under daphne: ``await send()`` waits while a reader does not read.

daphne's own send() never waits: what a reader does not take stays in this process, all of
it. Twisted knows when that is too much, and tells whoever is registered as the connection's
push producer. So the ``send`` that daphne hands over (``partial(server.handle_reply,
protocol)``) is where the connection is found, and what wraps it is the producer::

    application ── send() ──► Flow ── daphne ── twisted.web, autobahn ──► transport
                               ▲                                             │
                               └── pauseProducing, above 64 KiB buffered ◄───┘
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
* An application that has bytes ready for the wire may write them past daphne and autobahn,
  which take longer than the system call; see :data:`consumers.asgi.FRAMES`.

All applications behind :class:`~asgi_app.application.Headway` have this. Under any other
server nothing changes: they have back-pressure of their own.
"""

import asyncio
import logging
from typing import Any

from asgi_app import eager, leftovers
from asgi_app.chunked import chunked
from asgi_app.inbox import Inbox
from asgi_app.protocol import protocol_behind
from consumers import delivered
from consumers.asgi import FRAMES, ASGIApp, Message, Receive, Scope, Send
from consumers.wire import CloseCode
from tasks.conf import conf

__all__ = ["flowing"]

logger = logging.getLogger("headway.flow")

MOMENT = 3.0  # seconds for a reader that was told to go, to hear of it
LOOKS = 5  # times within STUCK that it is looked whether a reader has taken something


async def flowing(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run *app*, with a send() that waits for its reader."""
    protocol = protocol_behind(send)
    if protocol is None or scope["type"] not in ("http", "websocket"):
        await app(scope, receive, send)
        return
    kind: type[Flow] = StreamFlow if scope["type"] == "http" else SocketFlow
    flow = kind(protocol, receive, send)
    scope = {**scope, "extensions": {**scope.get("extensions", {}), FRAMES: flow.put}}
    try:
        running = app(scope, flow.receive, flow.send)
        del scope, receive, send  # they would live for as long as this frame does
        await running
    finally:
        flow.end()
        flow.inbox.close()


class Flow:
    """The way out of one exchange: Twisted's ``IPushProducer``, and the ``send`` of its app."""

    transport = ""

    def __init__(self, protocol: Any, receive: Receive, send: Send) -> None:
        self.inbox = Inbox(protocol, receive)
        self.receive = self.inbox.receive
        self._protocol = protocol
        self._send = send
        self._transport: Any = None
        self._drained: asyncio.Event | None = None  # while there is too much buffered

    async def send(self, message: Message) -> None:
        raise NotImplementedError

    def put(self, data: bytes) -> bool:
        """What :data:`consumers.asgi.Put` says."""
        raise NotImplementedError

    def end(self) -> None:
        """The producer no longer, if it still is. Safe to call twice."""
        if self._transport is not None:
            self._unregister()
            eager.restore(self._transport)
            self._transport = None
            self.resumeProducing()

    def pauseProducing(self) -> None:
        if self._drained is None:
            self._drained = asyncio.Event()

    def resumeProducing(self) -> None:
        if self._drained is not None:
            self._drained.set()
            self._drained = None

    def stopProducing(self) -> None:
        """The connection is lost: let go who waits."""
        self.resumeProducing()

    def _hold(self, transport: Any) -> None:
        self._transport = transport
        eager.hasten(transport)
        eager.limit_silence(transport, conf().stuck + MOMENT)

    def _unregister(self) -> None:
        raise NotImplementedError

    async def _cut_off(self) -> None:
        raise NotImplementedError

    async def _room(self) -> None:
        """Wait until there is room, however slow a reader is that takes something."""
        silent, last = 0, eager.position(self._transport)
        while (drained := self._drained) is not None:
            try:
                async with asyncio.timeout(conf().stuck / LOOKS):
                    await drained.wait()
            except TimeoutError:
                now = eager.position(self._transport)
                silent, last = silent + 1 if now == last else 0, now
                if silent == LOOKS:
                    logger.info("A reader took nothing for %g s: cut off.", conf().stuck)
                    delivered.slow.labels(self.transport).inc()
                    await self._cut_off()


class StreamFlow(Flow):
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

    def put(self, data: bytes) -> bool:
        request, transport = self._protocol, self._transport
        if transport is None or self._drained is not None or request.finished:
            return False
        if request.chunked and data:  # an empty part would end the body
            transport.write(chunked(data))  # as twisted.web would, framed once for all
        else:
            request.write(data)
        return True

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


class SocketFlow(Flow):
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

    def put(self, data: bytes) -> bool:
        if self._transport is None or self._drained is not None or self._closed is not None:
            return False
        self._write(data)
        return True

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
