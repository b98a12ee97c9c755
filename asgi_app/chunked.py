"""Parts of a response's body that many responses have in common."""

__all__ = ["chunked"]

_newest = (b"", b"")


def chunked(data: bytes) -> bytes:
    """*data*, which is not empty, in the chunked coding (RFC 9112, section 7.1).

    Made once for all who are given the same object one after another.
    """
    global _newest
    if _newest[0] is not data:
        _newest = data, b"%x\r\n%b\r\n" % (len(data), data)
    return _newest[1]
