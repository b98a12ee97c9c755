"""PostgreSQL: LISTEN and NOTIFY, where no layer reaches other processes."""

import threading
from contextlib import suppress
from functools import partial

from tasks.engine import store
from tasks.engine.news.wakers.news import Hear, News
from tasks.engine.process.threadedchild import ThreadedChild

__all__ = ["Waker", "announce"]

_LOOK = 0.5  # seconds after which the thread sees that it should end


class Waker(ThreadedChild):
    """Hears what other processes announce."""

    name = "waker"

    def __init__(self, hear: Hear) -> None:
        super().__init__()
        self._hear = hear

    def watch(self, ending: threading.Event) -> None:
        store.listen()
        for news in News:  # what was announced before
            self.tell(partial(self._hear, news))
        while not ending.is_set():
            for payload in store.notified(_LOOK):
                with suppress(ValueError):  # news that only a later release understands
                    self.tell(partial(self._hear, News(payload or News.RUN)))


def announce(news: News) -> None:
    """Tell all who listen. After the commit: in the transaction, NOTIFY would make the
    enqueueing transactions of the whole database commit one after another.
    """
    store.notify(str(news))
