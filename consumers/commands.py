"""What a client may say on a WebSocket: small JSON objects with an ``op``."""

from typing import Any

from consumers.asgi import Message
from consumers.refusal import Refusal
from tasks.codec import decode

__all__ = ["parse_command"]


def parse_command(message: Message, limit: int) -> dict[str, Any]:
    """The object in a ``websocket.receive`` message of at most *limit* bytes."""
    text = message.get("text")
    if text is None:
        raise Refusal(400, "binary_frame", "Binary frames are not understood.")
    if len(text) > limit or len(text.encode()) > limit:
        raise Refusal(413, "too_large", f"A frame may have {limit} bytes.")
    try:
        command = decode(text)
    except (ValueError, RecursionError):
        raise Refusal(400, "not_json", "The frame is no JSON.") from None
    if not isinstance(command, dict) or not isinstance(command.get("op"), str):
        raise Refusal(400, "bad_request", 'A frame must be an object with an "op".')
    return command
