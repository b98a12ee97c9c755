"""What applications of tests answer with."""

from consumers.asgi import Send

__all__ = ["answer", "part"]


def part(number: int, size: int) -> bytes:
    """No two are the same: nothing is shared between the copies of one."""
    return (b"%08d" % number) * (size // 8)


async def answer(send: Send, body: bytes) -> None:
    """In one piece."""
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
