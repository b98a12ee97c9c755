"""daphne's protocol for WebSockets: careful in the handshake, and light after it.

A handshake that daphne cannot read is answered with 400, where it would answer 500 and log a
traceback.
"""

from functools import cache
from typing import Any

from asgi_app import leftovers

__all__ = ["careful"]


@cache
def careful(protocol: Any, factory: Any) -> Any:
    """A subclass of daphne's *protocol*, for connections of a *factory* whose options are set."""
    from autobahn.websocket.types import ConnectionDeny

    class Careful(protocol):  # type: ignore[misc]
        def onConnect(self, request: Any) -> Any:
            if not _is_readable(request):
                raise ConnectionDeny(400, "Bad Request")  # type: ignore[no-untyped-call]
            return super().onConnect(request)

        def onOpen(self) -> None:
            super().onOpen()
            self.request.headers = {}
            leftovers.forget(self, leftovers.OF_SOCKET)

    # autobahn gives each connection a copy of those that its class has not.
    options = {name: getattr(factory, name) for name in protocol.CONFIG_ATTRS}
    for name, value in options.items():
        if not callable(value):  # it would be a method
            setattr(Careful, name, value)
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
