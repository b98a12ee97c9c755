"""How much a journal holds, and waiting until it holds less."""

import asyncio
import threading

from tasks.conf import conf

__all__ = ["Backpressure"]


class Backpressure:
    """Counts events that are taken in and not yet committed, and holds up who emits too fast.

    Whoever changes :attr:`held` has *lock*.
    """

    def __init__(self, lock: threading.Lock) -> None:
        self.held = 0
        self._loop = asyncio.get_running_loop()
        self._freed = threading.Condition(lock)
        self._room: asyncio.Future[None] | None = None

    @property
    def full(self) -> bool:
        return self.held >= conf().journal_events

    async def wait(self) -> None:
        """Wait until there is room again. On the loop."""
        while self.full:
            if self._room is None or self._room.done():
                self._room = self._loop.create_future()
            await asyncio.shield(self._room)

    def wait_blocking(self) -> None:
        """:meth:`wait`, for a thread."""
        with self._freed:
            while self.full:
                self._freed.wait()

    def free(self, count: int) -> None:
        """So many are committed. On the loop, without the lock."""
        with self._freed:
            self.held -= count
            self._freed.notify_all()
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
