"""A watcher: one open stream's place in a run's log."""

import asyncio
import logging
from collections.abc import Callable
from enum import Enum, auto

from consumers import delivered
from consumers.chunk import Chunk
from consumers.feed import Feed, Place
from consumers.replay import Replay

__all__ = ["Signal", "Watcher"]

logger = logging.getLogger("headway.watcher")


class Signal(Enum):
    """What a watcher says beside events."""

    HEARTBEAT = auto()
    FAREWELL = auto()  # the last item: connect again and continue after the cursor
    GONE = auto()  # the last item: the run was deleted


class Watcher:
    """Iterates over what follows a cursor: chunks of events, and signals between them.

    Ends after the run's ``finished`` event, after :meth:`close`, or after a last
    signal. It is a number and a future: no queue, no task, no thread and no database
    connection while it waits.

    Who iterates may give :attr:`put`: news are then written while it goes on waiting, which
    costs half of waking it.

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
        #: Writes a chunk at once and says so, or does not: then it comes out of the iteration.
        self.put: Callable[[Chunk], bool] | None = None
        self._pushing = False
        self._feed = feed
        self._replay = replay
        self._on_close = on_close
        self._waiter: asyncio.Future[None] | None = None
        self._beat = False
        self._over = False
        self._open = delivered.watchers.labels(transport)
        self._open.inc()
        feed.listeners.add(self)

    def __aiter__(self) -> "Watcher":
        return self

    async def __anext__(self) -> Chunk | Signal:
        # A server's send() may return without ever waiting: whoever replays a long log must
        # leave the event loop to the others between chunks.
        await asyncio.sleep(0)
        while not self._over:
            found = self._feed.read(self.cursor)
            if found is Place.BEHIND:
                found = await self._stored()
            if isinstance(found, Chunk):
                return self._take(found)
            if found is Place.CURRENT:
                if self._beat:
                    self._beat = False
                    return Signal.HEARTBEAT
                await self._news()
            else:
                self.close()
                if found is not Place.FINISHED:
                    return Signal.GONE if found is Place.GONE else Signal.FAREWELL
        raise StopAsyncIteration

    def close(self) -> None:
        """Release the feed, and end the iteration. Safe to call twice."""
        if not self._over:
            self._over = True
            self._open.dec()
            self._feed.listeners.discard(self)
            self._on_close(self._feed)
            self.put = None
            self._rouse()

    def wake(self) -> None:
        if self.put is None:
            self._rouse()
        elif self._waiter is not None and not self._pushing:
            self._pushing = True
            # Soon and not now: what comes in the same turn of the loop is one chunk.
            self._waiter.get_loop().call_soon(self._push, self.put)

    def beat(self) -> None:
        self._beat = True
        self._rouse()

    def _push(self, put: Callable[[Chunk], bool]) -> None:
        self._pushing = False
        if self._waiter is None or self._waiter.done():
            return  # the iteration goes on, and comes by
        found = self._feed.read(self.cursor)
        if isinstance(found, Chunk) and not found.ends_log and put(found):
            self._take(found)
            if self._feed.read(self.cursor) is Place.CURRENT:
                return
        self._rouse()

    def _rouse(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _news(self) -> None:
        # One future for each watcher: cancelling a task cancels the future it waits for,
        # and one that all share would end them all.
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    async def _stored(self) -> Chunk | Place:
        """The next chunk from the log. Where it cannot be had, the client comes again."""
        try:
            chunk = await self._replay.after(self._feed.run_id, self.cursor)
        except Exception:
            run_id = self._feed.run_id
            logger.exception(
                "The log of run %s cannot be read.", run_id, extra={"run_id": str(run_id)}
            )
            return Place.CLOSED
        # The feed knows of events that the log has not: the run was deleted just now.
        return chunk or Place.CLOSED

    def _take(self, chunk: Chunk) -> Chunk:
        self.cursor = chunk.last
        delivered.events.inc(len(chunk.envelopes))
        delivered.size.inc(chunk.size)
        self._beat = False
        if chunk.ends_log:
            self.close()
        return chunk
