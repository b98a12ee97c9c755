"""The shape of an ASGI 3.0 application, and an extension of our own."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

__all__ = ["FRAMES", "ASGIApp", "Direct", "Message", "Receive", "Scope", "Send", "Write"]

#: In ``scope["extensions"]`` where bytes that are ready for the wire can be written past the
#: server's own machinery: the middle of a response's body, or whole frames of a WebSocket
#: (RFC 6455, section 5.2; unmasked). Its value is a :class:`Direct`. Whoever is refused waits
#: with ``send``, which for a WebSocket takes ``{"type": FRAMES, "frames": bytes}``.
FRAMES = "headway.frames"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

#: A socket's own ``send``, which does not wait: how many bytes it has taken. An
#: :class:`OSError` says that it takes none.
Write = Callable[[bytes], int]


class Direct(Protocol):
    """A connection's socket, for who writes to it what is next."""

    @property
    def framing(self) -> Callable[[bytes], bytes]:
        """Makes of bytes what is written; the same function for all that need the same."""

    def open(self, shut: Callable[[], None]) -> Write | None:
        """What writes to the socket until *shut* is called; None if it would not be next.

        *shut* is called when anything else is written, before it is.
        """

    def finish(self, data: bytes) -> None:
        """Write the rest of what the socket has not taken, before anything else is written."""
