"""Up and down under a server that speaks ASGI's lifespan protocol, such as uvicorn.

These servers send ``lifespan.shutdown`` only when every connection has ended, and a
stream does not end by itself. So the signals are listened to as well: the way down
begins with the signal, and ends the streams that the server waits for.

Source: https://asgi.readthedocs.io/en/latest/specs/lifespan.html
"""

import asyncio
import sys
import threading

from asgi_app.lifecycle import Lifecycle
from asgi_app.shutdown import Shutdown
from consumers.asgi import Receive, Scope, Send
from tasks.engine.process.lastresort import LAST_RESORT, LastResort
from tasks.engine.process.signals import StopSignals

__all__ = ["Lifespan"]


class Lifespan:
    """The application for scopes of type ``lifespan``."""

    def __init__(self, lifecycle: Lifecycle, shutdown: Shutdown, last_resort: LastResort) -> None:
        self._lifecycle = lifecycle
        self._shutdown = shutdown
        self._last_resort = last_resort
        self._stopping: asyncio.Task[None] | None = None
        self._started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # lifespan.startup
        self._last_resort.start()
        signals = self._listen()
        try:
            self._lifecycle.start(self._failed)
            if not await self._lifecycle.settled() and self._lifecycle.failure is not None:
                message = str(self._lifecycle.failure)
                await send({"type": "lifespan.startup.failed", "message": message})
                return
            self._started = True
            await send({"type": "lifespan.startup.complete"})
            await receive()  # lifespan.shutdown
            await self._shutdown.run()
            await send({"type": "lifespan.shutdown.complete"})
        finally:
            if signals is not None:
                signals.restore()

    def _listen(self) -> StopSignals | None:
        if threading.current_thread() is not threading.main_thread():
            return None
        signals = StopSignals(self._signalled, self._last_resort, chain=True)
        signals.install()
        return signals

    def _signalled(self, count: int) -> None:
        if count > 1:
            self._shutdown.hurry()
        self._stop()

    def _stop(self) -> "asyncio.Task[None]":
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._shutdown.run(), name="headway stop")
        return self._stopping

    def _failed(self) -> None:
        # Before that, the server is told and ends by itself.
        if not self._started:
            return
        # Nothing is asked of the server: it would end with the code of a signal.
        self._last_resort.arm(LAST_RESORT, code=1)
        self._shutdown.hurry()
        self._stop().add_done_callback(lambda _: sys.exit(1))
