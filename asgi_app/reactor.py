"""Up and down under daphne, which has no lifespan: hooks on Twisted's reactor.

daphne's own end cancels every application in the moment a signal comes, leaves its
ports open, and stops silently at a connection without an application. So the signals
are taken over; the reactor is stopped when there is nothing left for it to cancel.

Twisted is asked only where it is loaded already: nothing here is imported under
another server.
"""

import asyncio
import atexit
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from asgi_app.applications import cancel_everything_else
from asgi_app.handshake import careful
from asgi_app.lifecycle import Lifecycle
from asgi_app.rootpath import careful_protocols
from asgi_app.shutdown import Shutdown
from tasks.engine.process.lastresort import LAST_RESORT, LastResort
from tasks.engine.process.signals import StopSignals

__all__ = ["ReactorHooks"]

MERCY = 0.1  # seconds for tasks that no one waits for to end
# Seconds a client may take to read what was sent before the close. autobahn's own 1 s would
# cut a slow one off in the middle of the log.
CLOSE_PATIENCE = 30.0
# Seconds after the ports are closed in which a connection accepted before has all of a request.
FIRST_REQUEST = 0.5
FLUSH = 1.0  # seconds for the last bytes to leave; fewer when late


class ReactorHooks:
    """Starts with the reactor and stops it."""

    def __init__(self, lifecycle: Lifecycle, shutdown: Shutdown, last_resort: LastResort) -> None:
        self._lifecycle = lifecycle
        self._shutdown = shutdown
        self._last_resort = last_resort
        self._reactor: Any = None
        self._stopping: asyncio.Task[None] | None = None
        self._stopped = threading.Event()
        self._closed = 0.0  # when the ports were, by the loop's clock

    def hook(self) -> None:
        """Start once the reactor runs, if there is one; it may never run."""
        if (reactor := loaded_reactor()) is not None:
            # Twice deferred: by then the loop runs and Twisted's signal handlers are set.
            reactor.callWhenRunning(lambda: reactor.callLater(0, self.begin))

    def running_here(self) -> bool:
        """Whether the reactor runs in this thread; a request may come before its hooks."""
        if (reactor := loaded_reactor()) is None:
            return False
        from twisted.python.threadable import ioThread

        return bool(reactor.running) and ioThread == threading.get_ident()

    def begin(self) -> None:
        """Start now, in the reactor's loop. A second call changes nothing."""
        if self._reactor is not None:
            return
        self._reactor = loaded_reactor()
        self._last_resort.start()
        self._reactor.addSystemEventTrigger("before", "shutdown", self._before_shutdown)
        if threading.current_thread() is not threading.main_thread():
            # The autoreloader's thread: no signals here, and a reload is a sys.exit().
            atexit.register(self._at_exit, asyncio.get_running_loop())
        elif signal.getsignal(signal.SIGTERM) == self._reactor.sigTerm:
            StopSignals(self._signalled, self._last_resort).install()
        from daphne.ws_protocol import WebSocketProtocol

        for port in self._ports():
            factory = _http_factory(port)
            careful_protocols(factory)
            server = factory.server
            server.ws_factory.setProtocolOptions(
                closeHandshakeTimeout=CLOSE_PATIENCE,
                # The next ping would have autobahn forget this one but for its timer, and drop
                # who answers both. And so a client that vanished goes within 45 seconds.
                autoPingTimeout=min(server.ping_timeout, server.ping_interval),
            )
            server.ws_factory.protocol = careful(WebSocketProtocol, server.ws_factory)
        self._shutdown.settle = self._first_requests
        self._lifecycle.start(self._failed)

    def _signalled(self, count: int) -> None:
        if count > 1:
            self._shutdown.hurry()
        self._stop()

    def _failed(self) -> None:
        self._last_resort.arm(LAST_RESORT, code=1)
        self._shutdown.hurry()
        self._stop()

    def _stop(self) -> "asyncio.Task[None]":
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._down(), name="headway stop")
        return self._stopping

    async def _down(self) -> None:
        try:
            await self._close_ports()
            await self._shutdown.run()
            await cancel_everything_else(MERCY)
            await self._flush()
        finally:
            self._stopped.set()
            if self._lifecycle.failure is not None:
                # The one way to a code: reactor.stop() ends in 0, and daphne knows no other.
                asyncio.get_running_loop().call_soon(sys.exit, 1)
            else:
                with suppress(Exception):  # someone else has stopped it meanwhile
                    self._reactor.stop()

    async def _close_ports(self) -> None:
        from twisted.internet.defer import maybeDeferred

        loop = asyncio.get_running_loop()
        for port in self._ports():
            with suppress(Exception):
                await maybeDeferred(port.stopListening).asFuture(loop)

        self._closed = loop.time()

    async def _first_requests(self) -> None:
        """Let requests come that are on their way: their clients know of no refusal.

        A proxy connects and then writes; hung up on in between it cannot ask again with a POST.
        """
        loop = asyncio.get_running_loop()
        until = self._closed + FIRST_REQUEST
        while self._waits_for_a_request() and loop.time() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # nothing tells of what is still to be read
        await asyncio.sleep(0)  # what was read last becomes an application in this turn

    def _waits_for_a_request(self) -> bool:
        from twisted.internet.tcp import Server

        connections = (each for each in self._reactor.getReaders() if isinstance(each, Server))
        # HTTP/1.1's own, inside what chooses between it and HTTP/2.
        channels = (getattr(each.protocol, "_channel", None) for each in connections)
        return any(map(_waits, channels))

    def _ports(self) -> Iterator[Any]:
        """daphne's listening ports. A task's own stay open: it has its grace period."""
        from daphne.http_protocol import HTTPFactory
        from twisted.internet.interfaces import IListeningPort

        for reader in self._reactor.getReaders():
            ours = isinstance(_http_factory(reader), HTTPFactory)
            if ours and IListeningPort.providedBy(reader):
                yield reader

    async def _flush(self) -> None:
        """Wait for last bytes to leave: a stopping reactor drops what is buffered."""
        with suppress(TimeoutError):
            async with asyncio.timeout(min(FLUSH, self._shutdown.left())):
                while self._is_writing():  # noqa: ASYNC110 - nothing tells when it ends
                    await asyncio.sleep(0.01)

    def _is_writing(self) -> bool:
        from twisted.internet.tcp import Server

        return any(isinstance(writer, Server) for writer in self._reactor.getWriters())

    def _before_shutdown(self) -> Any:
        """Someone else stops the reactor: it waits for us, though daphne cancels its part."""
        if self._stopped.is_set():
            return None
        from twisted.internet.defer import Deferred

        return Deferred.fromFuture(asyncio.shield(self._stop()))

    def _at_exit(self, loop: asyncio.AbstractEventLoop) -> None:
        """The reloader ends this process: give runs back at once, none has to wait for a lease."""

        def stop() -> None:
            self._shutdown.hurry()
            self._stop()

        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(stop)
            self._stopped.wait(LAST_RESORT)


def _waits(channel: Any) -> bool:
    """Whether a connection of HTTP/1.1 has no request, or has not read all of it."""
    from twisted.web.http import Request

    requests = getattr(channel, "requests", None)
    if requests is None:
        return False
    return not requests or requests[-1].method == Request.method  # set with the last byte


def _http_factory(port: Any) -> Any:
    factory = getattr(port, "factory", None)
    return getattr(factory, "wrappedFactory", factory)  # TLS wraps it


def loaded_reactor() -> Any:
    """Twisted's reactor, if it is loaded and of the kind that runs on an asyncio loop."""
    reactor = sys.modules.get("twisted.internet.reactor")
    if reactor is None:
        return None
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor

    return reactor if isinstance(reactor, AsyncioSelectorReactor) else None
