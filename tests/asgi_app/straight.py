"""A project whose own application writes straight to sockets wherever it may.

``/straight/<name>/<count>/<size>/`` answers with so many numbered parts, over HTTP and over a
WebSocket: each straight to the socket, or with ``send`` where that cannot be. ``/how/<name>/``
tells how many went either way, and how often a socket had not taken all of one.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

from django.core.asgi import get_asgi_application

from asgi_app.application import Headway
from consumers.asgi import FRAMES, Direct, Receive, Scope, Send, Write
from consumers.wire import text_frame
from tests.asgi_app.parts import answer, part

__all__ = ["application"]

how: dict[str, Counter[str]] = {}


class Way:
    """Straight, as long as it is open."""

    def __init__(self, direct: Direct, found: Counter[str]) -> None:
        self._direct = direct
        self._found = found
        self._write: Write | None = None

    def try_(self, data: bytes) -> bool:
        """Whether *data* was written."""
        self._write = self._write or self._direct.open(self._shut)
        if self._write is None:
            return False
        framed = self._direct.framing(data)
        taken = 0
        with suppress(OSError):
            taken = self._write(framed)
        if taken < len(framed):
            self._found["unfinished"] += 1
            self._direct.finish(framed[taken:])
        self._found["straight"] += 1
        return True

    def _shut(self) -> None:
        self._write = None
        self._found["shut"] += 1


async def straight(scope: Scope, receive: Receive, send: Send) -> None:
    match scope["path"].strip("/").split("/"):
        case ["straight", name, count, size]:
            found = how[name] = Counter()
            way = Way(scope["extensions"][FRAMES], found)
            over = _over_http if scope["type"] == "http" else _over_websocket
            await over(way, found, int(count), int(size), receive, send)
        case ["how", name]:
            await answer(send, json.dumps(how.get(name, {})).encode())
        case _:
            await answer(send, scope["path"].encode())


async def _parts(
    way: Way,
    found: Counter[str],
    parts: list[bytes],
    otherwise: Callable[[bytes], Awaitable[None]],
) -> None:
    for data in parts:
        if not way.try_(data):
            await otherwise(data)
            found["sent"] += 1
        await asyncio.sleep(0)  # for those who write to the same socket


async def _over_http(
    way: Way, found: Counter[str], count: int, size: int, receive: Receive, send: Send
) -> None:
    async def body(data: bytes) -> None:
        await send({"type": "http.response.body", "body": data, "more_body": True})

    await send({"type": "http.response.start", "status": 200, "headers": []})
    await _parts(way, found, [part(number, size) for number in range(count)], body)
    await send({"type": "http.response.body", "body": b""})


async def _over_websocket(
    way: Way, found: Counter[str], count: int, size: int, receive: Receive, send: Send
) -> None:
    async def frames(data: bytes) -> None:
        await send({"type": FRAMES, "frames": data})

    await receive()
    await send({"type": "websocket.accept"})
    parts = [text_frame(part(number, size)) for number in range(count)]
    await _parts(way, found, parts, frames)
    await send({"type": "websocket.close", "code": 4000})


get_asgi_application()  # sets Django up
application = Headway(straight)
