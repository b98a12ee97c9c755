"""Writing to Twisted's transports at once.

Twisted keeps what is written until its loop comes round to the socket, which costs it three
times what the system call itself does. A socket that has taken all there was before takes
the next piece just as well now: asyncio's own transports do the same.

Who has much to write to many may have the socket's own ``send``, see :func:`straight`, until
anything else is written to the transport: a ping, an answer, a close.

Only plain TCP and Unix sockets: TLS has a buffer between. ``_tempDataLen`` is Twisted's own;
without it all is written the ordinary way.
"""

import socket
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from typing import Any

from consumers.asgi import Write
from consumers.delivered import buffered

if sys.platform != "win32":
    import fcntl
    import termios

__all__ = ["hasten", "limit_silence", "position", "restore", "straight", "waiting"]


class _Held:
    """A transport of a stream or a WebSocket, and who is to hear that it is written to."""

    __slots__ = ("shut", "transport")

    def __init__(self, transport: Any) -> None:
        self.transport = transport
        self.shut: Callable[[], None] | None = None


_held: dict[int, _Held] = {}


def hasten(transport: Any) -> None:
    """Let *transport* write at once, if it can. What waits in it counts until it is restored."""
    _held[id(transport)] = _Held(transport)
    if _is_socket(transport):
        # Two methods of its own would cost each transport the dict that its class shares.
        kind: Any = type(transport)
        transport.__class__ = _hasty(kind)


def restore(transport: Any) -> None:
    """Take :func:`hasten` back."""
    _shut(transport)
    _held.pop(id(transport), None)
    if isinstance(transport, _Hasty):
        transport.__class__ = type(transport).__bases__[1]


def straight(transport: Any, shut: Callable[[], None]) -> Write | None:
    """The socket's own ``send``, good until *shut* is called; None if it would not be next."""
    held = _held.get(id(transport))
    if held is None or not isinstance(transport, _Hasty) or not _is_clear(transport):
        return None
    held.shut = shut
    send: Write = transport.socket.send  # type: ignore[attr-defined]
    return send


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
    return sum(waiting(held.transport) for held in list(_held.values()))


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
        and not isinstance(transport, _Hasty)
        and not getattr(transport, "TLS", False)
        and hasattr(transport, "_tempDataLen")
    )


def _is_clear(transport: Any) -> bool:
    """Whether what is written next is next on the wire."""
    return bool(
        transport.connected
        and not transport.disconnecting
        and not transport.dataBuffer
        and not transport._tempDataLen
    )


def _shut(transport: Any) -> None:
    held = _held.get(id(transport))
    if held is not None and held.shut is not None:
        shut, held.shut = held.shut, None
        shut()


class _Hasty:
    """What is in front of the methods of a transport's class."""

    def write(self: Any, data: bytes) -> None:
        """As the class writes, if anything is left for it; that also hears of a lost connection."""
        _shut(self)
        sent = 0
        if _is_clear(self):
            try:
                sent = self.socket.send(data)
            except OSError:  # it is full, or lost
                sent = 0
        if sent < len(data):
            super().write(data[sent:] if sent else data)  # type: ignore[misc]

    def writeSequence(self, pieces: Iterable[bytes]) -> None:
        self.write(b"".join(pieces))


@cache
def _hasty(kind: type) -> type:
    return type(kind.__name__, (_Hasty, kind), {})
