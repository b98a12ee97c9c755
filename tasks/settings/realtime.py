"""Ways in which the setting ``REALTIME`` can offer events, and pages that may ask for them."""

from collections.abc import Mapping
from urllib.parse import urlsplit

__all__ = ["BOTH", "WANTS", "are_origins", "is_offer", "offers"]

BOTH = "both"
_OFFERS = {"sse": {"sse"}, "channels": {"websocket"}, BOTH: {"sse", "websocket"}, "none": set()}

WANTS = 'a dict such as {"TRANSPORT": "both"}, or "sse", "channels" (WebSocket) or "none"'


def is_offer(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        key == "TRANSPORT" and isinstance(way, str) and way in _OFFERS for key, way in value.items()
    )


def offers(value: Mapping[str, str], transport: str) -> bool:
    """Whether ``sse`` or ``websocket`` is offered."""
    return transport in _OFFERS[value.get("TRANSPORT", BOTH)]


def are_origins(value: object) -> bool:
    """Whether these are origins as a browser names them: scheme, host, and a port if need be."""
    return isinstance(value, list | tuple) and all(map(_is_origin, value))


def _is_origin(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        found = urlsplit(value)
        _ = found.port
    except ValueError:
        return False
    plain = f"{found.scheme}://{found.netloc}" == value.lower() == value
    return plain and bool(found.scheme and found.hostname) and not {"*", "@"} & set(value)
