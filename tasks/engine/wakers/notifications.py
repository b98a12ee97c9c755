"""PostgreSQL: LISTEN and NOTIFY, where no layer reaches other processes."""

import threading
from collections.abc import Callable

from tasks.engine import store
from tasks.engine.threads import ThreadedChild

__all__ = ["Waker", "announce"]

_LOOK = 0.5  # seconds after which the thread sees that it should end


class Waker(ThreadedChild):
    """Wakes when another process has announced a run."""

    name = "waker"

    def __init__(self, wake: Callable[[], None]) -> None:
        super().__init__()
        self._wake = wake

    def watch(self, ending: threading.Event) -> None:
        store.listen()
        self.tell(self._wake)  # for what was enqueued before
        while not ending.is_set():
            if store.notified(_LOOK):
                self.tell(self._wake)


def announce() -> None:
    """Tell all who listen. After the commit: in the transaction, NOTIFY would make the
    enqueueing transactions of the whole database commit one after another.
    """
    store.notify()
