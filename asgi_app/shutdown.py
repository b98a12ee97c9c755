"""The way down, the same under every server.

::

    signal ──► no new runs; those under way have the grace period
               watchers say farewell            (the supervisor, once all is committed)
               the server has what it accepted  (connections whose request is on its way)
               requests without an answer       may use what is left of the grace period
               streams and WebSockets           have a moment to end
               whatever is still open           is hung up on, and at last cancelled
    2 s after the grace period the process is gone, see tasks.engine.process.lastresort
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from asgi_app.applications import Applications
from asgi_app.lifecycle import Lifecycle
from tasks.conf import conf
from tasks.engine.process.lastresort import COMMITS

__all__ = ["Shutdown"]

logger = logging.getLogger("headway")

FAREWELL = 0.5  # seconds for streams and WebSockets to end by themselves; fewer when late
MERCY = 0.1  # seconds for each of: telling what is still open, its clean-up, its cancellation
SETTLE = 0.5  # seconds after the grace period within which the server has settled
END = 1.5  # seconds after the grace period this way down is over, before LAST_RESORT


async def _settled() -> None:
    """Nothing is on its way: a server that speaks lifespan sees to its connections itself."""


class Shutdown:
    """One way down. :meth:`run` may be awaited by several; it goes once."""

    def __init__(self, lifecycle: Lifecycle, applications: Applications) -> None:
        self._lifecycle = lifecycle
        self._applications = applications
        #: Waits until every connection that was accepted has had its request.
        self.settle: Callable[[], Awaitable[None]] = _settled
        self._hurried = False
        self._grace_ends = 0.0  # by the loop's clock
        self._limit: asyncio.Timeout | None = None
        self._running: asyncio.Task[None] | None = None

    async def run(self) -> None:
        if self._running is None:
            grace = 0.0 if self._hurried else conf().grace
            self._grace_ends = asyncio.get_running_loop().time() + grace
            self._running = asyncio.create_task(self._run(), name="headway shutdown")
        await asyncio.shield(self._running)

    def hurry(self) -> None:
        """The grace period is over now, or is nothing if it has not begun."""
        self._hurried = True
        if self._running is None:
            return
        self._lifecycle.hurry()
        now = asyncio.get_running_loop().time()
        # Every step asks again how long it may take; the one under way is told.
        limit = self._limit
        if limit is not None and not limit.expired() and now < self._grace_ends:
            limit.reschedule((limit.when() or now) - self._grace_ends + now)
        self._grace_ends = min(self._grace_ends, now)

    def left(self) -> float:
        """Seconds that the server may take for its own part."""
        return self._left(END)

    async def _run(self) -> None:
        self._lifecycle.drain()
        if self._hurried:
            self._lifecycle.hurry()
        if not await self._within(self._lifecycle.ended.wait(), COMMITS):
            logger.error("The supervisor has not ended in time; leases tell what it left.")
            self._lifecycle.abandon()
        self._lifecycle.close()
        await self._within(self.settle(), SETTLE)
        if unanswered := self._applications.unanswered:
            await self._within(asyncio.wait(unanswered), 0.0)
        patience = min(FAREWELL, self.left() - 3 * MERCY)
        if cut_off := await self._applications.end(patience, MERCY):
            logger.warning("Requests and WebSockets that had to be cut off: %d.", cut_off)

    def _left(self, after_grace: float) -> float:
        return self._grace_ends + after_grace - asyncio.get_running_loop().time()

    async def _within(self, awaitable: Awaitable[object], after_grace: float) -> bool:
        """Wait until *after_grace* seconds after the grace period at most; whether it ended."""
        try:
            async with asyncio.timeout(self._left(after_grace)) as self._limit:
                await awaitable
        except TimeoutError:
            return False
        finally:
            self._limit = None
        return True
