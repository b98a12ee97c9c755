"""A raw HTTP/1.1 client for responses that stream: cheap, and exact about how they end."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

__all__ = ["CutOff", "Response", "get"]

CONNECT_TIMEOUT = 30.0  # seconds: until the answer begins


class CutOff(ConnectionError):
    """The connection ended before the response did."""


class Response:
    """A status, headers in small letters, and a body that is read as it comes."""

    def __init__(self, status: int, headers: dict[str, str], reader: asyncio.StreamReader) -> None:
        self.status = status
        self.headers = headers
        self._reader = reader

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body in the chunks of RFC 9112, section 7.1; :class:`CutOff` before the last."""
        while size := int(await _line(self._reader), 16):
            yield (await _exactly(self._reader, size + 2))[:-2]
        await _line(self._reader)

    async def text(self) -> str:
        """The whole body of a response that is no stream."""
        if "content-length" in self.headers:
            body = await _exactly(self._reader, int(self.headers["content-length"]))
            return body.decode()
        if self.headers.get("transfer-encoding") == "chunked":
            return b"".join([chunk async for chunk in self.chunks()]).decode()
        return ""


@asynccontextmanager
async def get(
    port: int, path: str, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Response]:
    """GET from this machine. Leaving the context closes the connection at once."""
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode())
        async with asyncio.timeout(CONNECT_TIMEOUT):
            response = await _head(reader)
        yield response
    finally:
        writer.transport.abort()


async def _head(reader: asyncio.StreamReader) -> Response:
    status = int((await _line(reader)).split()[1])
    headers: dict[str, str] = {}
    while line := await _line(reader):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Response(status, headers, reader)


async def _line(reader: asyncio.StreamReader) -> str:
    line = await reader.readline()
    if not line.endswith(b"\r\n"):
        raise CutOff(f"after {line!r}")
    return line[:-2].decode("latin1")


async def _exactly(reader: asyncio.StreamReader, size: int) -> bytes:
    try:
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError as error:
        raise CutOff(f"{len(error.partial)} of {size} bytes") from error
