"""News written once more in this turn of the event loop, to all who wait for them."""

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple, Protocol

from consumers import delivered
from consumers.feeds.chunk import Chunk

__all__ = ["News", "Turn"]

logger = logging.getLogger("headway.watcher")


class News(NamedTuple):
    """What follows a cursor, and whether there is nothing to be said after it."""

    chunk: Chunk
    complete: bool


class Pushing(Protocol):
    cursor: int

    def push(self, news: News | None) -> bool:
        """Write *news* at once; whether it did. Else it does not wait any more."""

    def desist(self) -> None:
        """Write nothing at once any more: whoever iterates is given it."""


class Turn:
    """Has watchers write soon and not now: what comes in the same turn is one chunk.

    The loop is asked once for all of them, *news* are looked up once for each cursor, and what
    was written is counted once: for every watcher, each costs as much as the writing.
    """

    __slots__ = ("_due", "_news", "waiting")

    def __init__(self, news: Callable[[int], News | None]) -> None:
        #: Those that are written to while they wait, and need not be woken for it.
        self.waiting: set[Pushing] = set()
        self._news = news
        self._due = False

    def stir(self) -> None:
        """Something is new."""
        if self.waiting and not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        self._due = False
        known: dict[int, News | None] = {}
        events = size = 0
        for watcher in tuple(self.waiting):
            cursor = watcher.cursor
            if cursor not in known:
                known[cursor] = self._news(cursor)
            news = known[cursor]
            try:
                if watcher.push(news) and news is not None:
                    events += len(news.chunk.envelopes)
                    size += news.chunk.size
            except Exception:  # one client's connection is no other's trouble
                logger.exception("News could not be written to a client.")
                watcher.desist()
        delivered.events.inc(events)
        delivered.size.inc(size)
