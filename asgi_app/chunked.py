"""Parts of a response's body as they are on the wire."""

__all__ = ["as_it_is", "chunked"]


def as_it_is(data: bytes) -> bytes:
    """*data*, in a response that ends with its connection."""
    return data


def chunked(data: bytes) -> bytes:
    """*data* in the chunked coding (RFC 9112, section 7.1), of which an empty part is the end."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""
