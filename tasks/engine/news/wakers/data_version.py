"""SQLite: see that another connection has committed, without reading a table."""

import asyncio
from collections.abc import Callable

from tasks.engine import store
from tasks.engine.process.loops import call_on
from tasks.engine.process.threads import DatabaseThread

__all__ = ["Waker"]

_PAUSE = 0.05  # seconds between two looks; one costs about 10 µs


class Waker:
    """Wakes when the file changes, whoever changes it.

    It looks with the connection of *writer*, whose own commits SQLite does not tell it of: in
    a process that emits all the time, each look would find something, and be for nothing.
    """

    def __init__(self, wake: Callable[[], None], writer: DatabaseThread | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._wake = wake
        self._writer = writer
        self._known: int | None = None

    async def serve(self) -> None:
        """Look until cancelled; raises what looking raises."""
        self._known = None  # what was committed before the first look is news as well
        thread = self._writer or DatabaseThread("headway-waker")
        try:
            await thread.patrol(self._look, _PAUSE)
        finally:
            if thread is not self._writer:
                thread.close()

    def _look(self) -> None:
        if (found := store.data_version()) != self._known:
            self._known = found
            call_on(self._loop, self._wake)
