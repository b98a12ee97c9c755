"""An application of daphne's own, without Headway: what it is served by, when it streams."""

import json
from functools import partial
from typing import Any

from consumers.asgi import Receive, Scope, Send

__all__ = ["application"]


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Says the names of the attributes of daphne's protocol, once it is open."""
    assert isinstance(send, partial)
    protocol: Any = send.args[0]
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": json.dumps([*vars(protocol)])})
        await send({"type": "websocket.close"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b" ", "more_body": True})
    names = json.dumps([*vars(protocol)]).encode()
    await send({"type": "http.response.body", "body": names})
