"""Clients that read when they are told to, and take apart what came."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.live import LiveServer

__all__ = [
    "Frame",
    "Way",
    "body",
    "chunks",
    "frames",
    "masked",
    "plain",
    "request",
    "started",
    "unix",
]

NARROW = 65_536  # bytes of a receive buffer: the less the kernel takes, the sooner one is stuck


class Way(NamedTuple):
    """How a server is reached."""

    arguments: tuple[str, ...]
    address: tuple[str, int] | str
    tls: bool = False

    def open(self) -> socket.socket:
        family = socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET
        plain = socket.socket(family)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)
        plain.settimeout(20)
        plain.connect(self.address)
        if not self.tls:
            return plain
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the certificate is the test's own
        return context.wrap_socket(plain)


def started(server: LiveServer) -> LiveServer:
    """Started, with all the ports it is told to open: its own is the last of them."""
    server.start(wait=False)
    server.wait_line(rf"Listening on TCP address .*:{server.port}$")
    httpx.get(server.url, timeout=20)  # it listens on all by the time it answers
    return server


def plain(server: LiveServer) -> Way:
    return Way((), ("127.0.0.1", server.port))


def unix(path: Path) -> Way:
    return Way(("-u", str(path)), str(path))


def request(path: str, *, websocket: bool = False, method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if websocket:
        lines += ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
        lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]  # RFC 6455's own example
    return "\r\n".join([*lines, "", ""]).encode()


def body(data: bytes) -> tuple[bytes, bytes]:
    """The body of a chunked response, and what follows the response."""
    found = list(chunks(data))
    assert found[-1][0] == b"", "cut off"
    return b"".join(chunk for chunk, _ in found), data[found[-1][1] :]


def chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    """The whole chunks of a response's body, RFC 9112, section 7.1, and where each ends."""
    assert data.startswith(b"HTTP/1.1 200"), data[:80]
    at, count = data.index(b"\r\n\r\n") + 4, -1
    while count and b"\r\n" in data[at : at + 20]:
        start = data.index(b"\r\n", at) + 2
        count = int(data[at : start - 2], 16)
        at = start + count + 2
        if at > len(data):
            return
        assert data[at - 2 : at] == b"\r\n", data[at - 2 : at + 40]
        yield data[start : start + count], at


class Frame(NamedTuple):
    opcode: int
    payload: bytes


def frames(data: bytes) -> Iterator[Frame]:
    """The whole frames after a handshake, RFC 6455, section 5.2; each a message of its own."""
    head, _, rest = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101"), head
    at = 0
    while at + 2 <= len(rest):
        size, start = rest[at + 1], at + 2
        assert rest[at] & 0xF0 == 0x80, f"no whole message: {rest[at : at + 2]!r}"
        if size >= 126:
            start += 2 if size == 126 else 8
            size = int.from_bytes(rest[at + 2 : start])
        if start + size > len(rest):
            return
        yield Frame(rest[at] & 0x0F, rest[start : start + size])
        at = start + size


def masked(payload: bytes, head: int = 0x81) -> bytes:
    """A frame as a client sends it, by default a whole text message. Its mask is zeros."""
    size = len(payload)
    if size < 126:
        return bytes([head, 0x80 | size]) + bytes(4) + payload
    if size < 65_536:
        return bytes([head, 0x80 | 126]) + size.to_bytes(2) + bytes(4) + payload
    return bytes([head, 0x80 | 127]) + size.to_bytes(8) + bytes(4) + payload
