"""The way out of one exchange under daphne: who produces for its connection, and how fast."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from asgi_app import eager
from asgi_app.chunked import as_it_is
from asgi_app.inbox import Inbox
from consumers import delivered
from consumers.asgi import Message, Receive, Send, Write
from tasks.conf import conf

__all__ = ["MOMENT", "Producer"]

logger = logging.getLogger("headway.flow")

MOMENT = 3.0  # seconds for a reader that was told to go, to hear of it
LOOKS = 5  # times within STUCK that it is looked whether a reader has taken something


class Producer:
    """The way out of one exchange: Twisted's ``IPushProducer``, and the ``send`` of its app.

    It is a :class:`consumers.asgi.Direct` too.
    """

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

    @property
    def framing(self) -> Callable[[bytes], bytes]:
        return as_it_is

    def open(self, shut: Callable[[], None]) -> Write | None:
        if self._transport is None or self._drained is not None:
            return None
        return eager.straight(self._transport, shut)

    def finish(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

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
