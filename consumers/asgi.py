"""The shape of an ASGI 3.0 application, in five names; and an extension of our own."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

__all__ = ["FRAMES", "ASGIApp", "Message", "Put", "Receive", "Scope", "Send"]

#: In ``scope["extensions"]`` where bytes that are ready for the wire can be written past the
#: server's own machinery: the middle of a response's body, or whole frames of a WebSocket
#: (RFC 6455, section 5.2; unmasked). Its value is a :data:`Put`. Whoever is refused waits with
#: ``send``, which for a WebSocket takes ``{"type": FRAMES, "frames": bytes}``.
FRAMES = "headway.frames"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
#: Writes at once, or not at all: whether it did. Not if the reader has no room.
Put = Callable[[bytes], bool]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
