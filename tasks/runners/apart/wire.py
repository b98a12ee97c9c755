"""What supervisor, fork server and leaders say to each other: a kind, a length, bytes."""

import asyncio
import socket
import struct
from enum import Enum
from typing import NamedTuple

__all__ = ["Frame", "Kind", "frame", "receive", "receive_waiting", "receive_with_files"]

_HEADER = struct.Struct(">cI")
_MOST_FILES = 4


class Kind(Enum):
    """The first byte of a frame."""

    # Between the supervisor and the fork server; JSON
    SETUP = b"s"
    READY = b"r"
    FORK = b"f"  # with files: channel, stdin, stdout, stderr
    FORKED = b"p"
    REFUSED = b"x"
    SIGNAL = b"k"
    ENDED = b"e"

    # From the supervisor to a leader
    REQUEST = b"Q"
    STOP = b"C"
    MESSAGE = b"M"
    ANSWER = b"A"

    # From a leader to the supervisor
    BEGUN = b"B"
    EVENT = b"E"  # the type, a line feed, the data's JSON
    TEXT = b"T"  # of append()
    FLUSH = b"F"  # wants an ANSWER
    WATCHERS = b"W"  # wants an ANSWER
    LISTEN = b"L"
    WAKE = b"K"  # it has enqueued
    RETURNED = b"R"
    RAISED = b"X"


class Frame(NamedTuple):
    kind: Kind
    data: bytes


def frame(kind: Kind, data: bytes = b"") -> bytes:
    return _HEADER.pack(kind.value, len(data)) + data


async def receive(reader: asyncio.StreamReader) -> Frame | None:
    """The next frame; None at the end."""
    try:
        kind, size = _HEADER.unpack(await reader.readexactly(_HEADER.size))
        return Frame(Kind(kind), await reader.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def receive_waiting(sock: socket.socket) -> Frame | None:
    """:func:`receive`, for code that may block."""
    if (header := _exactly(sock, _HEADER.size)) is None:
        return None
    kind, size = _HEADER.unpack(header)
    data = _exactly(sock, size)
    return None if data is None else Frame(Kind(kind), data)


def receive_with_files(sock: socket.socket) -> tuple[Frame, list[int]] | None:
    """The next frame and the files that came with it, which no child inherits by itself."""
    header, files, _, _ = socket.recv_fds(sock, _HEADER.size, _MOST_FILES)
    if header and len(header) < _HEADER.size:
        header += _exactly(sock, _HEADER.size - len(header)) or b""
    if len(header) < _HEADER.size:
        return None
    kind, size = _HEADER.unpack(header)
    data = _exactly(sock, size)
    return None if data is None else (Frame(Kind(kind), data), list(files))


def _exactly(sock: socket.socket, size: int) -> bytes | None:
    found = bytearray(size)
    view, have = memoryview(found), 0
    while have < size:
        count = sock.recv_into(view[have:])
        if not count:
            return None
        have += count
    return bytes(found)
