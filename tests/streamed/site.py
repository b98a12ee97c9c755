"""A live server with the StreamTasks of this app, on TCP or on a Unix socket."""

import asyncio
import json
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import httpx
from httpx_sse import aconnect_sse

from tests.ledger import Ledger
from tests.live import START_TIMEOUT, LiveServer

__all__ = ["APPS", "Block", "Site", "UnixServer", "site", "types", "whole"]

APPS = "tests.streamed,tests.streamed.twin"
READ = 40.0  # seconds of silence until a test says that nothing came


class Block(NamedTuple):
    """An event of a stream."""

    id: str
    event: str
    data: dict[str, Any]

    @property
    def seq(self) -> int:
        return int(self.id.partition("-")[0])


class UnixServer(LiveServer):
    """daphne on a socket of its own, with ``-u`` or by ``runserver_stream``."""

    by_command = False

    @property
    def socket(self) -> Path:
        # Not in the test's folder: the path of a socket has 107 bytes at most.
        return Path("/tmp") / f"headway-{self.port}.sock"

    def command(self) -> list[str]:
        if self.by_command:
            return [self.python, "manage.py", "runserver_stream", "--socket", str(self.socket)]
        return [self.python, "-m", "daphne", "-u", str(self.socket), self.application]

    def start(self, *, wait: bool = True) -> Self:
        super().start(wait=False)
        if wait:
            self.wait_line(r"Ready, as", START_TIMEOUT)
            self._ask()
        return self

    def close(self) -> None:
        super().close()
        self.socket.unlink(missing_ok=True)
        self.socket.with_name(f"{self.socket.name}.lock").unlink(missing_ok=True)

    def _ask(self) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            connection.sendall(b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")
            connection.recv(1)


class Site:
    """What a test does with it over HTTP."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        self.ledger = Ledger(server.stack)

    @property
    def url(self) -> str:
        return "http://localhost" if isinstance(self.server, UnixServer) else self.server.url

    @property
    def http(self) -> dict[str, Any]:
        """Arguments for clients of httpx, each with a transport of its own."""
        if isinstance(self.server, UnixServer):
            return {"transport": httpx.AsyncHTTPTransport(uds=str(self.server.socket))}
        return {}

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=READ, **self.http)

    async def ask(self, path: str, /, **content: Any) -> Any:
        async with self.client() as client:
            answer = await client.post(path, json=content)
        return answer.raise_for_status().json()

    async def make(self, name: str, /, *, start: bool = True, **fields: Any) -> int:
        """A row; its key."""
        made = await self.ask(f"/suite/make/{name}/{'?start' if start else ''}", **fields)
        pk: int = made["pk"]
        return pk

    async def running(self, name: str, pk: int) -> bool:
        return bool((await self.ask(f"/suite/running/{name}/{pk}/"))["running"])

    async def state(self, name: str, pk: int) -> Any:
        async with self.client() as client:
            headers = {"Accept": "application/json"}
            return (await client.get(f"/stream/{name}/{pk}", headers=headers)).json()

    async def read(
        self, path: str, until: Callable[[Block], object] = lambda _: False, after: str = ""
    ) -> list[Block]:
        """With httpx-sse, as users of the streaming coordinator do, to the end or *until*."""
        found: list[Block] = []
        headers = {"Last-Event-ID": after} if after else {}
        async with (
            self.client() as client,
            aconnect_sse(client, "GET", path, headers=headers) as source,
        ):
            async for event in source.aiter_sse():
                found.append(Block(event.id, event.event, json.loads(event.data)))
                if until(found[-1]):
                    break
        return found

    async def curl(self, path: str, *options: str) -> str:
        """What ``curl -N`` prints."""
        socket: list[str] = []
        if isinstance(self.server, UnixServer):
            socket = ["--unix-socket", str(self.server.socket)]
        command = ["curl", "-sSN", "--max-time", str(READ), *socket, *options, f"{self.url}{path}"]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        assert process.returncode == 0, (process.returncode, out)
        return out.decode()


def site(live: Callable[..., LiveServer], kind: str = "tcp", **keys: object) -> Site:
    """Not started yet. *keys* of ``HEADWAY`` are in small letters.

    One on a socket, ``unix`` or ``command``, is to be ended by whoever has it.
    """
    env = {
        "HEADWAY_APPS": APPS,
        "HEADWAY_AUTHZ": "tests.streamed.authz.everybody",
        "HEADWAY_POLL": "0.1",
        **{f"HEADWAY_{key.upper()}": str(value) for key, value in keys.items()},
    }
    made = live(env)
    if kind != "tcp":
        # The one that was made is never started: this is the same on a socket.
        unix = UnixServer(made.folder, made.env, stack=made.stack)
        unix.by_command = kind == "command"
        made = unix
    return Site(made)


def types(found: Sequence[Block]) -> list[str]:
    return [block.event for block in found]


def whole(found: list[Block]) -> list[Block]:
    """The blocks, which are a log without a hole, to its end."""
    assert [block.seq for block in found] == list(range(1, len(found) + 1))
    assert found[-1].data["_final"] is True
    return found
