"""The application behind the WebSocket paths."""

from typing import Any

from consumers.access.shown import shown_in
from consumers.asgi import Receive, Scope, Send
from consumers.paths import is_for_many
from consumers.refusal import TooMany
from consumers.wire import CloseCode
from tasks.conf import conf

__all__ = ["websocket_application"]


async def websocket_application(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI application for WebSockets whose path is ours."""
    # These need the app registry, and this module is imported before it is ready.
    from consumers.access.limits import get_limits
    from consumers.access.origin import Page, page_in
    from consumers.streams.bundlesocket import BundleSocket
    from consumers.streams.websocket import RunSocket, turn_away

    page = page_in(scope)
    if page is Page.FOREIGN or not conf().offers("websocket"):
        # Before the handshake: to a foreign page there is nothing to explain.
        await receive()
        await send({"type": "websocket.close", "code": int(CloseCode.FORBIDDEN)})
        return
    if page is Page.DECLARED:
        scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"cookie"]}
    kind = BundleSocket if is_for_many(scope["path"]) else RunSocket
    try:
        with get_limits().enter(scope, "websocket") as seat:
            known = await _with_user(scope, receive, send)
            seat.hold_for(known.get("user"))  # who shows a grant is nobody
            await kind(known, receive, send).open()
    except TooMany as refusal:
        await turn_away(scope, receive, send, refusal)


async def _with_user(scope: Scope, receive: Receive, send: Send) -> Scope:
    """The scope as Channels' login middleware makes it.

    Only that: around the socket it would stay for as long as that lives, and pass on
    every frame.
    """
    from channels.auth import AuthMiddlewareStack

    made: list[Scope] = []

    async def keep(scope: Scope, receive: Receive, send: Send) -> None:
        made.append(scope)

    if shown_in(scope):
        return scope  # who shows a grant is not asked who they are
    stack: Any = AuthMiddlewareStack(keep)
    await stack(scope, receive, send)
    return made[0]
