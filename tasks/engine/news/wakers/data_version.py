"""SQLite: see that another connection has committed, without reading a table."""

import threading
from collections.abc import Callable

from tasks.engine import store
from tasks.engine.process.threads import DatabaseThread, ThreadedChild

__all__ = ["Waker"]

_PAUSE = 0.05  # seconds between two looks; one costs about 10 µs


class Waker(ThreadedChild):
    """Wakes when the file changes, whoever changes it.

    It looks with the connection of *writer*, whose own commits SQLite does not tell it of: in
    a process that emits all the time, each look would find something, and be for nothing.
    """

    name = "waker"

    def __init__(self, wake: Callable[[], None], writer: DatabaseThread | None = None) -> None:
        super().__init__()
        self._wake = wake
        self._writer = writer

    def watch(self, ending: threading.Event) -> None:
        known = None  # what was committed before the first look is news as well
        while not ending.wait(_PAUSE):
            if (found := self._look()) != known:
                known = found
                self.tell(self._wake)

    def _look(self) -> int:
        if self._writer is None:
            return store.data_version()
        return self._writer.submit(store.data_version).result()
