"""SQLite: see that another connection has committed, without reading a table."""

import threading

from django.db import connections

from tasks.engine import store
from tasks.engine.wakers.polling import ThreadedWaker

__all__ = ["Waker"]

_PAUSE = 0.05  # seconds between two looks; one costs about 10 µs


class Waker(ThreadedWaker):
    """Wakes when the file changes, whoever changes it.

    A commit of this process's own wakes too: telling them apart would cost more than the
    claim that finds nothing.
    """

    def watch(self, ending: threading.Event) -> None:
        try:
            known = None  # what was committed before the first look is news as well
            while not ending.wait(_PAUSE):
                if (found := store.data_version()) != known:
                    known = found
                    self.stir()
        finally:
            connections.close_all()
