"""Handshakes that daphne cannot read: 400, where it would answer 500 and log a traceback."""

from functools import cache
from typing import Any

__all__ = ["careful"]


@cache
def careful(protocol: Any) -> Any:
    """daphne's protocol for WebSockets, with an eye on what it decodes."""
    from autobahn.websocket.types import ConnectionDeny

    class Careful(protocol):  # type: ignore[misc]
        def onConnect(self, request: Any) -> Any:
            if not _is_readable(request):
                raise ConnectionDeny(400, "Bad Request")  # type: ignore[no-untyped-call]
            return super().onConnect(request)

    return Careful


def _is_readable(request: Any) -> bool:
    try:
        request.path.encode("ascii")
        for name, value in request.headers.items():
            name.encode("ascii")
            value.encode("ascii" if name == "sec-websocket-protocol" else "latin1")
    except UnicodeError:
        return False
    return True
