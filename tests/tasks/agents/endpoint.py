"""A server that speaks the chat completions protocol, over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

__all__ = [
    "DONE",
    "Asked",
    "Endpoint",
    "Reply",
    "Wire",
    "answered",
    "calling",
    "chunk",
    "closed",
    "cut",
    "endless",
    "endpoint",
    "event",
    "events",
    "finish",
    "raw",
    "saying",
    "silent",
    "streamed",
    "usage",
]

DONE = b"data: [DONE]\n\n"


class Asked(NamedTuple):
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class Wire:
    """The server's end of a connection, once the request has been read."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def head(self, status: int, headers: dict[str, str]) -> None:
        lines = [
            f"HTTP/1.1 {status} Told",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        await self.write("\r\n".join([*lines, "", ""]).encode())

    async def begin(self) -> None:
        await self.head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})

    async def part(self, data: bytes) -> None:
        """One chunk of a chunked body; an empty one is its end."""
        await self.write(b"%x\r\n%b\r\n" % (len(data), data))

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def gone(self) -> None:
        """Wait until the client has hung up."""
        await self._reader.read()


Reply = Callable[[Wire], Awaitable[None]]


class Endpoint:
    """Gives each request the next of its replies; all that it was asked is in *asked*."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.asked: list[Asked] = []
        #: A client hung up before it had all.
        self.left = asyncio.Event()
        #: Connections that are open.
        self.open = 0
        self.url = ""

    def will(self, *replies: Reply) -> None:
        self.replies += replies

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            self.asked.append(await _request(reader))
            await self.replies.pop(0)(Wire(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            self.left.set()
        finally:
            self.open -= 1
            writer.close()


async def _request(reader: asyncio.StreamReader) -> Asked:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Asked(first.split()[1], headers, json.loads(body))


@asynccontextmanager
async def endpoint() -> AsyncIterator[Endpoint]:
    made = Endpoint()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    async with server:
        made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        yield made


# What a stream consists of


def event(data: object) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


def chunk(delta: dict[str, Any], **more: Any) -> bytes:
    return event({"choices": [{"index": 0, "delta": delta, **more}]})


def calling(index: int, id_: str | None, name: str | None, arguments: str) -> bytes:
    function = {"name": name, "arguments": arguments}
    return chunk({"tool_calls": [{"index": index, "id": id_, "function": function}]})


def finish(reason: str = "stop") -> bytes:
    return chunk({}, finish_reason=reason)


def usage(given: int, made: int) -> bytes:
    return event({"choices": [], "usage": {"prompt_tokens": given, "completion_tokens": made}})


def events(*texts: str) -> Iterable[bytes]:
    return [*(chunk({"content": text}) for text in texts), finish(), usage(3, 2), DONE]


# Replies


def streamed(*parts: bytes) -> Reply:
    """A whole stream, in these chunks of HTTP."""

    async def reply(wire: Wire) -> None:
        await wire.begin()
        for part in (*parts, b""):
            await wire.part(part)

    return reply


def saying(*texts: str) -> Reply:
    """An answer in these pieces."""
    return streamed(*events(*texts))


def cut(*parts: bytes) -> Reply:
    """The connection ends in the middle."""

    async def reply(wire: Wire) -> None:
        await wire.begin()
        for part in parts:
            await wire.part(part)

    return reply


def raw(data: bytes) -> Reply:
    async def reply(wire: Wire) -> None:
        await wire.write(data)

    return reply


def closed() -> Reply:
    """Hangs up without a word."""
    return raw(b"")


def answered(status: int, body: str = "{}", **headers: str) -> Reply:
    """An answer that is no stream."""

    async def reply(wire: Wire) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        about = {"Content-Type": "application/json", "Content-Length": str(len(body.encode()))}
        await wire.head(status, about | named)
        await wire.write(body.encode())

    return reply


def silent(*parts: bytes) -> Reply:
    """Says this, and then nothing until the client hangs up, which :attr:`left` tells."""

    async def reply(wire: Wire) -> None:
        await wire.begin()
        for part in parts:
            await wire.part(part)
        await wire.gone()
        raise ConnectionError

    return reply


def endless(part: bytes) -> Reply:
    """Says the same for ever."""

    async def reply(wire: Wire) -> None:
        await wire.begin()
        while True:
            await wire.part(part)

    return reply
