"""SQLite: see that another connection has committed, without reading a table."""

import threading
from collections.abc import Callable

from tasks.engine import store
from tasks.engine.process.threads import ThreadedChild

__all__ = ["Waker"]

_PAUSE = 0.05  # seconds between two looks; one costs about 10 µs


class Waker(ThreadedChild):
    """Wakes when the file changes, whoever changes it.

    A commit of this process's own wakes too: telling them apart would cost more than the
    claim that finds nothing.
    """

    name = "waker"

    def __init__(self, wake: Callable[[], None]) -> None:
        super().__init__()
        self._wake = wake

    def watch(self, ending: threading.Event) -> None:
        known = None  # what was committed before the first look is news as well
        while not ending.wait(_PAUSE):
            if (found := store.data_version()) != known:
                known = found
                self.tell(self._wake)
