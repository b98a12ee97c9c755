"""Parts of a response's body that many responses have in common."""

from typing import Any

__all__ = ["write_part"]

_newest = (b"", b"")


def write_part(request: Any, transport: Any, data: bytes) -> None:
    """``request.write(data)``, to the transport itself where twisted.web would only frame it."""
    if request.chunked and data:
        transport.write(_chunk(data))
    else:
        request.write(data)


def _chunk(data: bytes) -> bytes:
    """*data* in the chunked coding (RFC 9112, section 7.1); an empty one would end the body.

    Made once for all who are given the same object one after another.
    """
    global _newest
    if _newest[0] is not data:
        _newest = data, b"%x\r\n%b\r\n" % (len(data), data)
    return _newest[1]
