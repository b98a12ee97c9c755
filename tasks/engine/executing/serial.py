"""The threads that ``sync_to_async`` and the async ORM use inside a run."""

from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from asgiref.sync import ThreadSensitiveContext
from django.db import close_old_connections, connections

__all__ = ["SerialThreads"]


class SerialThreads:
    """Lends each run a thread of its own for thread-sensitive code, and takes it back.

    Outside a context of their own, all such calls of a process share one thread: one
    slow query would stall every run. A thread starts at its first call and is used again
    by later runs, so there are never more than runs at once, and no run pays for one
    that it does not use.
    """

    def __init__(self) -> None:
        self._free: deque[ThreadPoolExecutor] = deque()
        self._made = 0

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[None]:
        executor = self._free.pop() if self._free else self._make()
        try:
            async with ThreadSensitiveContext(executor=executor):
                yield
        finally:
            if executor._threads:  # it was used: no transaction or dead connection stays
                executor.submit(close_old_connections)
            self._free.append(executor)

    def close(self) -> None:
        """End the idle threads, and close what they are connected to."""
        while self._free:
            executor = self._free.pop()
            if executor._threads:
                executor.submit(connections.close_all)
            executor.shutdown(wait=False)

    def _make(self) -> ThreadPoolExecutor:
        self._made += 1
        return ThreadPoolExecutor(1, thread_name_prefix=f"headway-run-{self._made}")
