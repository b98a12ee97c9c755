"""A place in a run's log that moves on: what a watcher is, however it waits."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum, auto

from consumers import delivered
from consumers.feeds.chunk import Chunk
from consumers.feeds.feed import Feed, Place
from consumers.feeds.replay import Replay
from consumers.refusal import Refusal

__all__ = ["Follower", "Signal"]

logger = logging.getLogger("headway.watcher")


class Signal(Enum):
    """What is said beside events."""

    HEARTBEAT = auto()
    FAREWELL = auto()  # the last item: connect again and continue after the cursor
    GONE = auto()  # the last item: the run was deleted
    DENIED = auto()  # the last item: they may not watch it any more


class Follower(ABC):
    """A cursor on a feed, and on the log where the feed has no more of it.

    Exactly the log, once and in order: a chunk begins at ``cursor + 1`` and has no hole,
    whether it comes from the feed or from the log, and the cursor moves to its end.
    """

    def __init__(
        self,
        feed: Feed,
        replay: Replay,
        cursor: int,
        on_close: Callable[[Feed], None],
        transport: str = "",
    ) -> None:
        self.cursor = cursor
        #: Nothing follows any more.
        self.over = False
        #: Why they may not go on.
        self.refusal: Refusal | None = None
        #: Called at the end.
        self.let_go: Callable[[], None] | None = None
        self._feed = feed
        self._replay = replay
        self._on_close = on_close
        self._page: Chunk | Place | None = None
        self._open = delivered.watchers.labels(transport)
        self._open.inc()
        feed.listeners.add(self)

    @abstractmethod
    def wake(self) -> None:
        """Look again: something is new."""

    @abstractmethod
    def beat(self) -> None:
        """Nothing was new for a while."""

    def poll(self) -> Chunk | Signal | Place | None:
        """What follows, without waiting: a chunk or the last signal.

        ``Place.BEHIND``: to be read with :meth:`fetch` first. ``Place.CURRENT``: nothing
        yet. None: nothing ever.
        """
        if self.over:
            return None
        if self.refusal is not None:
            self.close()
            return Signal.DENIED
        found = self._feed.read(self.cursor)
        if found is Place.BEHIND and self._page is not None:
            found, self._page = self._page, None
        if isinstance(found, Chunk):
            return self._take(found)
        if found is Place.BEHIND or found is Place.CURRENT:
            return found
        self.close()
        if found is Place.FINISHED:
            return None
        return Signal.GONE if found is Place.GONE else Signal.FAREWELL

    async def fetch(self) -> None:
        """Read the next chunk from the log. Where it cannot be had, the client comes again."""
        try:
            # The feed knows of events that the log has not: the run was deleted just now.
            page = await self._replay.after(self._feed.run_id, self.cursor)
            self._page = page or Place.CLOSED
        except Exception:
            run_id = self._feed.run_id
            logger.exception(
                "The log of run %s cannot be read.", run_id, extra={"run_id": str(run_id)}
            )
            self._page = Place.CLOSED

    def deny(self, refusal: Refusal) -> None:
        """End with the last signal now, whatever else there is."""
        if not self.over:
            self.refusal = refusal
            self.wake()

    def close(self) -> None:
        """Release the feed. Safe to call twice."""
        if not self.over:
            self.over = True
            self._page = None
            self._open.dec()
            self._feed.listeners.discard(self)
            self._on_close(self._feed)
            if self.let_go is not None:
                self.let_go()
            self.wake()

    def _take(self, chunk: Chunk) -> Chunk:
        self.cursor = chunk.last
        delivered.events.inc(len(chunk.envelopes))
        delivered.size.inc(chunk.size)
        if chunk.ends_log:
            self.close()
        return chunk
