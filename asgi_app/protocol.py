"""daphne's own object for an exchange, and what is changed of it."""

import functools
import sys
from typing import Any

from consumers.asgi import Scope, Send

__all__ = ["conceal", "protocol_behind"]


def protocol_behind(send: Send) -> Any:
    """daphne's protocol behind *send*; None if it is another server's, or is wrapped."""
    daphne = sys.modules.get("daphne.server")
    if daphne is None or not isinstance(send, functools.partial) or len(send.args) != 1:
        return None
    server = getattr(send.func, "__self__", None)
    return send.args[0] if isinstance(server, daphne.Server) else None


def conceal(scope: Scope, send: Send) -> None:
    """Let daphne's access log see no more of a request's URL than the application does."""
    protocol = protocol_behind(send)
    if scope["type"] == "http" and protocol is not None:
        path, _, _ = protocol.uri.partition(b"?")
        protocol.uri = b"?".join(filter(None, (path, scope["query_string"])))
