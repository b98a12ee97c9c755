"""What a client may say on a WebSocket: small JSON objects with an ``op``."""

from typing import Any

from consumers.asgi import Message
from consumers.refusal import Refusal
from tasks.codec import decode, encode
from tasks.exceptions import InvalidValue

__all__ = ["parse_command", "parse_object", "ref_in"]

_REF_BYTES = 128  # of JSON: room for a UUID and then some


def parse_object(message: Message, limit: int) -> dict[str, Any]:
    """The object in a ``websocket.receive`` message of at most *limit* bytes."""
    text = message.get("text")
    if text is None:
        raise Refusal(400, "binary_frame", "Binary frames are not understood.")
    if len(text) > limit or len(text.encode()) > limit:
        raise Refusal(413, "too_large", f"A frame may have {limit} bytes.")
    try:
        found = decode(text)
    except (ValueError, RecursionError):
        raise Refusal(400, "not_json", "The frame is no JSON.") from None
    if not isinstance(found, dict):
        raise _no_op()
    return found


def parse_command(message: Message, limit: int) -> dict[str, Any]:
    """The object in a message, which has an ``op``."""
    command = parse_object(message, limit)
    if not isinstance(command.get("op"), str):
        raise _no_op()
    return command


def ref_in(command: dict[str, Any]) -> dict[str, Any]:
    """The ``ref`` by which the client will know the answer, to be put there as it is."""
    if "ref" not in command:
        return {}
    ref = command["ref"]
    try:
        if isinstance(ref, str | int | float | None) and len(encode(ref).encode()) <= _REF_BYTES:
            return {"ref": ref}
    except InvalidValue:  # NaN, infinity, or half a character
        pass
    message = f"ref must be a string, a number, a boolean or null, in {_REF_BYTES} bytes of JSON."
    raise Refusal(400, "bad_ref", message)


def _no_op() -> Refusal:
    return Refusal(400, "bad_request", 'A frame must be an object with an "op".')
