"""Static files under any ASGI server, without a build step.

Django serves them in development only, and WhiteNoise's middleware is synchronous: it
would put a thread under every request. For much traffic a web server in front serves
``STATIC_ROOT`` (``manage.py collectstatic``).
"""

import asyncio
import mimetypes
import os
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.exceptions import SuspiciousFileOperation

from asgi_app.unavailable import not_found
from consumers.asgi import ASGIApp, Receive, Scope, Send

__all__ = ["StaticFiles"]

CHUNK = 65_536  # bytes


class StaticFiles:
    """ASGI middleware that answers GET and HEAD below ``STATIC_URL``."""

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self._application: ASGIApp = application
        self._prefix: str = settings.STATIC_URL

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._file if self._is_ours(scope) else self._application
        await app(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        return (
            scope["type"] == "http"
            and scope["path"].startswith(self._prefix)
            and scope["method"] in {"GET", "HEAD"}
        )

    async def _file(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].removeprefix(self._prefix)
        file = await asyncio.to_thread(_open, name)
        if file is None:
            await not_found(scope, receive, send)
            return
        with file:
            headers = _headers(name, os.fstat(file.fileno()))
            known = dict(scope["headers"]).get(b"if-none-match", b"")
            if headers[b"etag"] in (tag.strip() for tag in known.split(b",")):
                del headers[b"content-length"]
                await _start(send, 304, headers)
                await send({"type": "http.response.body"})
                return
            await _start(send, 200, headers)
            if scope["method"] == "GET":
                await _copy(file, send)
            await send({"type": "http.response.body"})


def _open(name: str) -> BinaryIO | None:
    """The file a finder knows by *name*; none for a folder, or a path out of bounds."""
    try:
        found = finders.find(name)
        return Path(found).open("rb") if found else None
    except (OSError, ValueError, SuspiciousFileOperation):
        return None


def _headers(name: str, stat: os.stat_result) -> dict[bytes, bytes]:
    kind, encoding = mimetypes.guess_type(name)
    kind = kind or "application/octet-stream"
    if kind.startswith("text/") or kind.endswith(("javascript", "json")):
        kind += "; charset=utf-8"
    headers = {
        b"content-type": kind.encode(),
        b"content-length": str(stat.st_size).encode(),
        b"last-modified": formatdate(stat.st_mtime, usegmt=True).encode(),
        b"etag": f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'.encode(),
        # Names carry no hash of the content, so a browser asks each time, at the price
        # of a 304.
        b"cache-control": b"no-cache",
        b"x-content-type-options": b"nosniff",
    }
    return headers | ({b"content-encoding": encoding.encode()} if encoding else {})


async def _start(send: Send, status: int, headers: dict[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [*headers.items()]})


async def _copy(file: BinaryIO, send: Send) -> None:
    while chunk := await asyncio.to_thread(file.read, CHUNK):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
