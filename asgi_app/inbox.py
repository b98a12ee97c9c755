"""Reading under daphne no faster than the application does.

daphne reads whatever a WebSocket's client sends, and keeps it until the application asks:
all of it, for as long as that takes. So the socket is left unread above a mark; the client
then finds it full, as it would anywhere else.
"""

from typing import Any

from asgi_app.leanqueue import LeanQueue
from consumers.asgi import Message, Receive

__all__ = ["Inbox"]

MARK = 1_048_576  # bytes: as much as daphne takes for one message
_OVERHEAD = 512  # bytes of an empty message, about


class Inbox:
    """Stands in for the queue of an exchange's protocol, from the first message on."""

    __slots__ = ("_paused", "_protocol", "_queue", "_receive", "_weight")

    def __init__(self, protocol: Any, receive: Receive) -> None:
        self._protocol = protocol
        self._receive = receive
        self._queue: Any = None
        self._weight = 0
        self._paused = False

    async def receive(self) -> Message:
        if self._queue is None:
            self._take_over()
        message = await self._receive()
        self._weight = 0 if self._queue.empty() else self._weight - _weight(message)
        if self._paused and self._weight <= MARK // 2:
            self._resume()
        return message

    def put_nowait(self, message: Message) -> None:
        """What daphne calls."""
        self._queue.put_nowait(message)
        self._weight += _weight(message)
        transport = self._protocol.transport
        if self._weight > MARK and not self._paused and transport is not None:
            self._paused = True
            transport.pauseProducing()

    def _take_over(self) -> None:
        theirs: Any = self._protocol.application_queue
        is_read_here = getattr(self._receive, "__self__", None) is theirs
        if is_read_here:
            self._queue = LeanQueue()
            self._receive = self._queue.get
            while not theirs.empty():
                self._queue.put_nowait(theirs.get_nowait())
        else:  # a middleware around us reads it
            self._queue = theirs
        self._protocol.application_queue = self

    def close(self) -> None:
        """Nobody asks any more. The connection is read on, to hear of its end."""
        if self._queue is not None:
            self._protocol.application_queue = self._queue
        if self._paused:
            self._resume()

    def _resume(self) -> None:
        self._paused = False
        if self._protocol.transport is not None:
            self._protocol.transport.resumeProducing()


def _weight(message: Message) -> int:
    return len(message.get("text") or message.get("bytes") or b"") + _OVERHEAD
