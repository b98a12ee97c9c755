"""A project whose own application sends faster than anybody reads, and knows how much it sent.

``/pour/<name>/<count>/<size>/`` answers with so many numbered parts, over HTTP as one body
and over a WebSocket as messages; ``/poured/<name>/`` tells how far that is.
"""

import json
from collections.abc import Awaitable, Callable

from django.core.asgi import get_asgi_application

from asgi_app.application import Headway
from consumers.asgi import Receive, Scope, Send
from tests.asgi_app.parts import answer, part

__all__ = ["application"]

poured: dict[str, dict[str, object]] = {}


async def pour(scope: Scope, receive: Receive, send: Send) -> None:
    path = scope["path"].strip("/").split("/")
    match path:
        case ["pour", name, count, size]:
            state: dict[str, object] = {"sent": 0, "left": False, "ended": False}
            poured[name] = state
            try:
                await _VIAS[scope["type"]](state, int(count), int(size), receive, send)
            finally:
                state["ended"] = True
        case ["poured", name]:
            await answer(send, json.dumps(poured.get(name, {})).encode())
        case _:
            await answer(send, scope["path"].encode())


async def _over_http(
    state: dict[str, object], count: int, size: int, receive: Receive, send: Send
) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for number in range(count):
        body = part(number, size)
        await send({"type": "http.response.body", "body": body, "more_body": True})
        state["sent"] = number + 1
    await send({"type": "http.response.body", "body": b""})


async def _over_websocket(
    state: dict[str, object], count: int, size: int, receive: Receive, send: Send
) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    for number in range(count):
        text = part(number, size)
        await send({"type": "websocket.send", "text": text.decode()})
        state["sent"] = number + 1
    await send({"type": "websocket.close", "code": 4000})


_VIAS: dict[str, Callable[..., Awaitable[None]]] = {
    "http": _over_http,
    "websocket": _over_websocket,
}


get_asgi_application()  # sets Django up
application = Headway(pour)
