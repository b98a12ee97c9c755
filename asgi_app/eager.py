"""Writing to Twisted's transports at once.

Twisted keeps what is written until its loop comes round to the socket, which costs it three
times what the system call itself does. A socket that has taken all there was before takes
the next piece just as well now: asyncio's own transports do the same.

Only plain TCP and Unix sockets: TLS has a buffer between. ``_tempDataLen`` is Twisted's own;
without it all is written the ordinary way.
"""

import socket
import sys
from collections.abc import Iterable
from contextlib import suppress
from types import MethodType
from typing import Any

from consumers.delivered import buffered

if sys.platform != "win32":
    import fcntl
    import termios

__all__ = ["hasten", "limit_silence", "position", "restore", "waiting"]


_held: dict[int, Any] = {}  # transports of streams and WebSockets


def hasten(transport: Any) -> None:
    """Let *transport* write at once, if it can. What waits in it counts until it is restored."""
    _held[id(transport)] = transport
    if _is_socket(transport):
        transport.write = MethodType(_write, transport)
        transport.writeSequence = MethodType(_write_sequence, transport)


def restore(transport: Any) -> None:
    """Take :func:`hasten` back, and with it a reference of the transport to itself."""
    _held.pop(id(transport), None)
    for name in ("write", "writeSequence"):
        if _is_socket(transport):
            transport.__dict__.pop(name, None)


def limit_silence(transport: Any, seconds: float) -> None:
    """Let the kernel end the connection whose peer takes nothing of what waits for it.

    Without it a peer that vanished is noticed after a quarter of an hour (tcp(7)).
    """
    plain = _plain(transport)
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None and hasattr(plain, "socket"):
        with suppress(OSError):  # a Unix socket
            plain.socket.setsockopt(socket.IPPROTO_TCP, option, int(seconds * 1000))


def position(transport: Any) -> object:
    """Equal to what it was if the reader has taken nothing since, while something waits for it.

    A socket with large buffers asks for more only after a good part of them has been read.
    """
    plain = _plain(transport)
    queued = b""
    if sys.platform != "win32" and hasattr(plain, "socket"):
        with suppress(OSError):
            queued = fcntl.ioctl(plain.socket, termios.TIOCOUTQ, bytes(4))
    return queued, getattr(plain, "dataBuffer", None), getattr(plain, "offset", None)


def _buffered() -> int:
    return sum(map(waiting, list(_held.values())))


buffered.labels("connections").set_function(_buffered)


def waiting(transport: Any) -> int:
    """Bytes in this process that the transport has not given to the kernel yet."""
    plain = _plain(transport)
    left = len(getattr(plain, "dataBuffer", b"")) - getattr(plain, "offset", 0)
    return left + int(getattr(plain, "_tempDataLen", 0))


def _plain(transport: Any) -> Any:
    """The socket's transport below the layers of a protocol such as TLS."""
    while hasattr(transport, "wrappedProtocol"):
        transport = transport.transport
    return transport


def _is_socket(transport: Any) -> bool:
    tcp = sys.modules.get("twisted.internet.tcp")
    return (
        tcp is not None
        and isinstance(transport, tcp.Connection)
        and not getattr(transport, "TLS", False)
        and hasattr(transport, "_tempDataLen")
    )


def _write(transport: Any, data: bytes) -> None:
    """As the class writes, if anything is left for it; that also hears of a lost connection."""
    sent = 0
    if transport.connected and not transport.dataBuffer and not transport._tempDataLen:
        try:
            sent = transport.socket.send(data)
        except OSError:  # it is full, or lost
            sent = 0
    if sent < len(data):
        type(transport).write(transport, data[sent:] if sent else data)


def _write_sequence(transport: Any, pieces: Iterable[bytes]) -> None:
    _write(transport, b"".join(pieces))
