"""One watcher: a connection whose bytes are scanned for events."""

import re
import socket
from contextlib import suppress
from typing import Protocol

from tests.bench.spec import Spec

__all__ = ["Connection", "request"]

_CLOSE = 0x88  # RFC 6455, section 5.2: a whole message of opcode 8, the server's unmasked
_LONGEST = 127  # bytes of a control frame

# autobahn's, with 12 bytes that it wants back, masked, in a pong. In an event's JSON there is
# no such byte.
_PING = re.compile(rb"\x89\x0c(.{12})", re.DOTALL)
_PONG = b"\x8a\x8c\0\0\0\0"

# Of each event; and how a match ends, to find the last one from behind.
_EVENT = re.compile(rb'"seq":(\d+),"type":"[^"]+","at":"([^"]+)Z","data":')
_MARK = b'Z","data":'


class Transport(Protocol):
    """What a connection writes to."""

    def sendall(self, data: bytes, /) -> None: ...

    def shutdown(self, how: int, /) -> None: ...


class Observer(Protocol):
    """Whom a connection tells."""

    wrong: list[str]

    def took(self, before: int, stamps: list[bytes], now: float) -> None:
        """Events with these times have come at *now*, after as many as *before*."""

    def resume(self, connection: "Connection") -> bool:
        """Whether *connection*, which was cut off, will be connected again."""

    def left(self) -> None:
        """The connection has ended."""


class Connection:
    """Counts 1, 2, 3 … to the run's last event, and waits for the server to end the stream."""

    def __init__(self, spec: Spec, observer: Observer) -> None:
        self._spec = spec
        self._observer = observer
        self._rest = b""
        self._seen = 0

    def made(self, transport: Transport) -> None:
        self._transport = transport
        self._rest = b""  # what an earlier connection left half sent comes again
        transport.sendall(request(self._spec, self._seen))

    def received(self, data: bytes, now: float) -> None:
        buffer = self._rest + data
        if self._spec.websocket and (ping := _PING.search(buffer)):
            with suppress(OSError):  # the server may have closed since
                self._transport.sendall(_PONG + ping[1])
        cut = buffer.rfind(_MARK) + len(_MARK)
        if cut >= len(_MARK):
            self._take(_EVENT.findall(buffer, 0, cut), now)
            buffer = buffer[cut:]
        self._rest = buffer
        if self._spec.websocket and self._complete and self._closed:
            with suppress(OSError):
                self._transport.shutdown(socket.SHUT_RDWR)

    def lost(self) -> None:
        if not self._complete:
            if self._observer.resume(self):
                return
            self._observer.wrong.append(f"cut off after {self._seen}: {self._rest[-200:]!r}")
        self._observer.left()

    @property
    def _complete(self) -> bool:
        return self._seen >= self._spec.last

    @property
    def _closed(self) -> bool:
        """Whether what follows the last event's beginning ends with a close frame."""
        size = len(self._rest)
        return any(
            self._rest[at] == _CLOSE and at + 2 + self._rest[at + 1] == size
            for at in range(max(0, size - _LONGEST), size - 1)
        )

    def _take(self, events: list[tuple[bytes, bytes]], now: float) -> None:
        seqs = [int(seq) for seq, _ in events]
        before, self._seen = self._seen, self._seen + len(seqs)
        if seqs != [*range(before + 1, self._seen + 1)]:
            self._observer.wrong.append(f"{seqs[:3]}… where {before + 1} should follow")
        self._observer.took(before, [at for _, at in events], now)


def request(spec: Spec, after: int) -> bytes:
    path = f"{spec.path}{'&' if '?' in spec.path else '?'}after={after}" if after else spec.path
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{spec.port}"]
    if spec.websocket:
        lines += ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
        lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]  # RFC 6455's own example
    else:
        # The end of the response is then the end of the connection.
        lines += ["Connection: close", "Accept: text/event-stream"]
    return "\r\n".join([*lines, "", ""]).encode()
