"""What goes over the wire: event-stream frames and close codes. Pure, no I/O.

Frames follow the HTML standard, section 9.2 (server-sent events). Close codes from 4000
on are the application's (RFC 6455, section 7.4.2); ours are 4000 plus the HTTP status
of the same refusal.
"""

import random
import re
import struct
from enum import IntEnum
from typing import Final

__all__ = [
    "CONTENT_TYPE",
    "HEARTBEAT",
    "CloseCode",
    "close_reason",
    "farewell",
    "fragment",
    "frame",
    "frame_at",
    "opening",
    "place_frame",
    "text_frame",
    "type_of",
]

CONTENT_TYPE: Final = "text/event-stream; charset=utf-8"

#: A comment: it keeps proxies and the client sure of the connection and is no event.
HEARTBEAT: Final = b": heartbeat\n\n"

#: Milliseconds over which clients that are told to reconnect spread themselves. Those of
#: WebSockets do so by themselves, see ``headway.js``: daphne sends no reason with a close
#: code, where one could tell them.
RECONNECT_FROM: Final = 500
RECONNECT_SPAN: Final = 6_000

_LINE_END = re.compile(r"\r\n|\r|\n")
_FINAL_TEXT = 0x81  # the only frame of its message, no extension, opcode "text"
_REASON_BYTES = 123  # RFC 6455, section 5.5: a control frame holds 125, two are the code


class CloseCode(IntEnum):
    """Why a WebSocket is closed by us."""

    FINISHED = 1000
    GOING_AWAY = 4012
    BAD_REQUEST = 4400
    NOT_AUTHENTICATED = 4401
    FORBIDDEN = 4403
    NOT_FOUND = 4404
    TOO_SLOW = 4408
    TOO_LARGE = 4413
    TOO_MANY = 4429


def frame(seq: int, envelope: bytes) -> bytes:
    """One event of an event stream. An envelope is one line, so one ``data:`` field."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (seq, type_of(envelope), envelope)


def frame_at(id_: bytes, envelope: bytes) -> bytes:
    """An event with another id than its seq; an empty one makes the client forget its own."""
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (id_, type_of(envelope), envelope)


def opening(heartbeat: float) -> bytes:
    """First bytes of a stream: they make the browser's connection "open" before any event.

    They take back the longer delay of a farewell, and tell in a comment, which is nothing to
    an EventSource, after how many seconds of silence there is a heartbeat.
    """
    return f"retry: 1000\n: heartbeat {heartbeat:.10g}\n\n".encode()


def fragment(type_: bytes, text: str) -> bytes:
    """An event without its id, whose data is any text: a field for each line of it.

    A browser puts line feeds between them again, so that no text can hold a field.
    """
    lines = b"".join(b"data: %b\n" % line.encode() for line in _LINE_END.split(text))
    return b"event: %b\n%b\n" % (type_, lines)


def place_frame(id_: bytes) -> bytes:
    """No event, but where to go on from: an id is kept without one (section 9.2.6)."""
    return b"id: %b\n\n" % id_


def text_frame(payload: bytes) -> bytes:
    """A whole text message of a WebSocket, as a server sends it (RFC 6455, section 5.2).

    Uncompressed, which a connection with permessage-deflate allows (RFC 7692, section 6).
    """
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", _FINAL_TEXT, size)
    elif size < 65_536:
        head = struct.pack("!BBH", _FINAL_TEXT, 126, size)
    else:
        head = struct.pack("!BBQ", _FINAL_TEXT, 127, size)
    return head + payload


def farewell() -> bytes:
    """Last bytes of a stream whose server goes away: come back, but not all at once."""
    return b"retry: %d\n\n" % (RECONNECT_FROM + random.randrange(RECONNECT_SPAN))


def type_of(envelope: bytes) -> bytes:
    """The event's type in an envelope made by :func:`tasks.events.envelope`, unparsed."""
    # Neither a UUID nor a number nor a type can hold a quote, so the first is the one.
    start = envelope.index(b'"type":"') + 8
    return envelope[start : envelope.index(b'"', start)]


def close_reason(text: str) -> str:
    """*text*, cut to what a close frame can carry."""
    return text.encode()[:_REASON_BYTES].decode(errors="ignore")
