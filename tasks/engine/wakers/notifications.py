"""PostgreSQL: LISTEN and NOTIFY, where no layer reaches other processes."""

import threading

from django.db import connections

from tasks.engine import store
from tasks.engine.wakers.polling import ThreadedWaker

__all__ = ["Waker", "announce"]

_LOOK = 0.5  # seconds after which the thread sees that it should end


class Waker(ThreadedWaker):
    """Wakes when another process has announced a run."""

    def watch(self, ending: threading.Event) -> None:
        try:
            store.listen()
            self.stir()  # for what was enqueued before
            while not ending.is_set():
                if store.notified(_LOOK):
                    self.stir()
        finally:
            connections.close_all()


def announce() -> None:
    """Tell all who listen. After the commit: in the transaction, NOTIFY would make the
    enqueueing transactions of the whole database commit one after another.
    """
    store.notify()
