"""Clients of the ASGI application: one event stream, one WebSocket."""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID

from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator
from django.core.asgi import get_asgi_application

from consumers.paths import run_path
from consumers.routing import websocket_application
from consumers.streams.takeover import TakeOver

__all__ = ["Frame", "HttpStream", "events_path", "parsed", "socket"]

_Communicator: Any = ApplicationCommunicator  # it has no types
Headers = Iterable[tuple[bytes, bytes]]
PATIENCE = 10.0  # seconds until a test says that nothing came


class Frame:
    """One event of an event stream, as a browser would see it."""

    def __init__(self, text: str) -> None:
        fields = dict(line.split(": ", 1) for line in text.split("\n") if line)
        self.id = int(fields["id"])
        self.event = fields["event"]
        self.data: dict[str, Any] = json.loads(fields["data"])
        assert (self.id, self.event) == (self.data["seq"], self.data["type"])


def parsed(body: bytes) -> list[Frame]:
    blocks = body.decode().split("\n\n")
    assert blocks.pop() == ""
    return [Frame(block) for block in blocks if block.startswith("id:")]


def events_path(run_id: UUID) -> str:
    return f"/tasks/{run_id}/events/"


class HttpStream:
    """One HTTP request whose response may not end."""

    def __init__(
        self,
        path: str,
        query: str = "",
        headers: Headers = (),
        method: str = "GET",
        application: Callable[..., Awaitable[None]] | None = None,
    ) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(b"host", b"testserver"), *headers],
            "server": ("testserver", 80),
        }
        application = application or TakeOver(get_asgi_application())
        self._communicator: Any = _Communicator(application, scope)
        self.status = 0
        self.headers: dict[str, str] = {}
        self.cookies: list[str] = []
        #: The whole body, unless it is an event stream.
        self.content = b""
        self.ended = False

    async def open(self, body: bytes = b"") -> "HttpStream":
        await self._communicator.send_input({"type": "http.request", "body": body})
        start = await self._communicator.receive_output(PATIENCE)
        assert start["type"] == "http.response.start"
        self.status = start["status"]
        for name, value in start["headers"]:
            self.headers[name.decode().lower()] = value.decode()
            if name.lower() == b"set-cookie":
                self.cookies.append(value.decode())
        if not self.headers.get("content-type", "").startswith("text/event-stream"):
            self.content = await self.body()
        return self

    async def chunk(self) -> bytes:
        message = await self._communicator.receive_output(PATIENCE)
        assert message["type"] == "http.response.body"
        self.ended = not message.get("more_body", False)
        body: bytes = message.get("body", b"")
        return body

    async def body(self) -> bytes:
        """Everything until the end."""
        whole = b""
        while not self.ended:
            whole += await self.chunk()
        await self._communicator.wait(PATIENCE)
        return whole

    async def until(self, seq: int) -> list[Frame]:
        """The frames up to *seq*."""
        read = b""
        while not (frames := parsed(read)) or frames[-1].id < seq:
            read += await self.chunk()
        return frames

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    async def disconnect(self) -> None:
        """The client goes; returns when the application has noticed."""
        await self._communicator.send_input({"type": "http.disconnect"})
        await self._communicator.wait(PATIENCE)


def socket(
    run_id: UUID | str,
    query: str = "",
    headers: Headers = (),
    host: bytes = b"testserver",
    subprotocols: list[str] | None = None,
) -> WebsocketCommunicator:
    """A WebSocket to a run, not connected yet."""
    path = run_path(run_id) if isinstance(run_id, UUID) else run_id
    if query:
        path = f"{path}?{query}"
    application: Any = websocket_application
    return WebsocketCommunicator(
        application, path, headers=[(b"host", host), *headers], subprotocols=subprotocols
    )
