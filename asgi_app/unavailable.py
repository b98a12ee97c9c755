"""Answers of a process that cannot serve a request, as raw ASGI."""

from consumers.asgi import Receive, Scope, Send
from consumers.wire import CloseCode

__all__ = ["going_away", "not_found", "reject_websocket", "unavailable"]

RETRY_AFTER = b"5"  # seconds


async def unavailable(scope: Scope, receive: Receive, send: Send) -> None:
    """503, or a WebSocket that is closed with "going away": come back later."""
    if scope["type"] == "websocket":
        await going_away(receive, send)
    else:
        headers = ((b"retry-after", RETRY_AFTER),)
        await _answer(send, 503, b"Starting or stopping. Try again.\n", headers)


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await reject_websocket(receive, send)
    else:
        await _answer(send, 404, b"Not found.\n")


async def going_away(receive: Receive, send: Send) -> None:
    # A close code reaches a browser only over an accepted connection.
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": int(CloseCode.GOING_AWAY)})


async def reject_websocket(receive: Receive, send: Send) -> None:
    """Refuse the handshake: the server answers 403."""
    await receive()
    await send({"type": "websocket.close"})


async def _answer(
    send: Send, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    start = (
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *headers,
    )
    await send({"type": "http.response.start", "status": status, "headers": list(start)})
    await send({"type": "http.response.body", "body": body})
