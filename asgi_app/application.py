"""The ASGI application that carries Headway: a project wraps its own with it.

::

    from django.core.asgi import get_asgi_application
    from asgi_app.application import Headway

    application = Headway(get_asgi_application())
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import cache, partial

from asgi_app import protocol
from asgi_app.flow import flowing
from asgi_app.lifecycle import Phase
from asgi_app.unavailable import not_found, reject_websocket, unavailable
from consumers import paths, routing
from consumers.access.shown import conceal
from consumers.asgi import ASGIApp, Message, Receive, Scope, Send
from consumers.streams.takeover import TakeOver
from tasks.conf import conf

__all__ = ["Headway"]

logger = logging.getLogger("headway")

START_PATIENCE = 15.0  # seconds a request waits for the process to be ready
HEALTH = ("/health", "/health/live", "/health/ready", "/metrics")


class Headway:
    """Serves *application* beside Headway's own WebSockets, and runs the engine.

    The engine starts with the server, before the first request, and never by an import
    alone. *application* is any ASGI application; scopes it does not know are refused.
    """

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        # Here and not above: an asgi.py imports this module before Django is set up.
        from asgi_app.process import this_process

        self._process = this_process()
        self._http: ASGIApp = TakeOver(application)
        self._other: ASGIApp = application
        self._health_only = conf().role == "worker"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._process.lifespan(scope, receive, send)
            return
        if scope["type"] in ("http", "websocket") and conceal(scope):
            protocol.conceal(scope, send)
        app = self._route(scope)
        if self._process.lifecycle.phase is not Phase.SERVING and not await self._admit(scope):
            app = unavailable
        await flowing(partial(self._process.applications.run, app), scope, receive, send)

    def _route(self, scope: Scope) -> ASGIApp:
        if self._health_only and not _asks_for_health(scope):
            return not_found
        if scope["type"] == "http":
            return self._http
        if scope["type"] == "websocket":
            ours = paths.handles(scope["path"])
            return routing.websocket_application if ours else self._websocket
        return self._other

    async def _admit(self, scope: Scope) -> bool:
        """Whether a request may go on that came while the process was not serving."""
        lifecycle = self._process.lifecycle
        if lifecycle.phase is Phase.IDLE and self._process.reactor.running_here():
            self._process.reactor.begin()
        if lifecycle.phase is Phase.IDLE:
            _warn_of_idleness()  # and go on: it may be a test's client
        if lifecycle.phase is not Phase.STARTING or _asks_for_health(scope):
            # While draining, requests on open connections are still answered.
            return True
        try:
            async with asyncio.timeout(START_PATIENCE):
                return await lifecycle.settled()
        except TimeoutError:
            return False

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The project's own WebSockets. Django's handler, and Channels' for an unknown
        path, raise ``ValueError`` before anything is sent.
        """
        sent = False

        async def noting(message: Message) -> None:
            nonlocal sent
            sent = True
            await send(message)

        try:
            await self._other(scope, receive, noting)
        except ValueError as error:
            if sent:
                raise
            logger.warning("No WebSocket at %s: %s", scope["path"], error)
            await reject_websocket(receive, send)


def _asks_for_health(scope: Scope) -> bool:
    path: str = scope["path"]
    return scope["type"] == "http" and path.endswith(HEALTH)


@cache
def _warn_of_idleness() -> None:
    logger.warning(
        "This server neither speaks ASGI's lifespan protocol nor runs Twisted's reactor: "
        "in this process no task is executed and no stream served."
    )
