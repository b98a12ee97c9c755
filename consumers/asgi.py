"""The shape of an ASGI 3.0 application, in five names; and an extension of our own."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

__all__ = ["FRAMES", "ASGIApp", "Message", "Receive", "Scope", "Send"]

#: In ``scope["extensions"]`` of a WebSocket whose server takes frames that are ready for the
#: wire (RFC 6455, section 5.2; unmasked, each a whole text message), any number at once:
#: ``{"type": FRAMES, "frames": bytes}``.
FRAMES = "headway.frames"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
