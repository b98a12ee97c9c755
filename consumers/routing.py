"""WebSocket paths, and the application behind them."""

from functools import cache
from typing import Any
from uuid import UUID

from consumers.asgi import ASGIApp, Receive, Scope, Send
from consumers.refusal import Refusal
from consumers.wire import CloseCode
from tasks.conf import conf

__all__ = ["handles", "run_in", "run_path", "websocket_application"]


def handles(path: str) -> bool:
    """Whether a WebSocket to *path* is ours."""
    return path.startswith(_root())


def run_path(run_id: UUID) -> str:
    """The path at which a run is watched."""
    return f"{_root()}{run_id}/"


def run_in(path: str) -> str:
    """The run id in a path of ours."""
    run_id = path.removeprefix(_root()).removesuffix("/")
    if not run_id:
        raise Refusal(404, "no_such_path", "The path names no run.")
    return run_id


async def websocket_application(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI application for WebSockets whose path is ours."""
    from consumers.origin import origin_allowed

    if not origin_allowed(scope):
        # Before the handshake: to a foreign page there is nothing to explain.
        await receive()
        await send({"type": "websocket.close", "code": int(CloseCode.FORBIDDEN)})
        return
    await _authenticated()(scope, receive, send)


@cache
def _authenticated() -> ASGIApp:
    # Both need the app registry, and this module is imported before it is ready.
    from channels.auth import AuthMiddlewareStack

    from consumers.websocket import run_socket

    stack: Any = AuthMiddlewareStack(run_socket)
    return stack  # type: ignore[no-any-return]


def _root() -> str:
    return f"/{conf().websocket_path.strip('/')}/"
