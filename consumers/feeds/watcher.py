"""A watcher: one open stream's place in a run's log."""

import asyncio
from collections.abc import Callable

from consumers.feeds.bell import Bell
from consumers.feeds.chunk import Chunk
from consumers.feeds.feed import Feed, Place
from consumers.feeds.follower import Follower, Signal
from consumers.feeds.replay import Replay
from consumers.feeds.turn import News
from consumers.refusal import Refusal

__all__ = ["Signal", "Watcher"]


class Watcher(Follower):
    """Iterates over what follows a cursor: chunks of events, and signals between them.

    Ends after the run's ``finished`` event, after :meth:`close`, or after a last
    signal. It is a number and a future: no queue, no task, no thread and no database
    connection while it waits.

    Who iterates may give :attr:`put`: news are then written while it goes on waiting, which
    costs half of waking it.
    """

    def __init__(
        self,
        feed: Feed,
        replay: Replay,
        cursor: int,
        on_close: Callable[[Feed], None],
        transport: str = "",
    ) -> None:
        #: Writes a chunk at once and says so, or does not: then it comes out of the iteration.
        self.put: Callable[[Chunk], bool] | None = None
        self._pushing = False
        self._bell = Bell()
        self._beat = False
        super().__init__(feed, replay, cursor, on_close, transport)

    def __aiter__(self) -> "Watcher":
        return self

    async def __anext__(self) -> Chunk | Signal:
        # A server's send() may return without ever waiting: whoever replays a long log must
        # leave the event loop to the others between chunks.
        await asyncio.sleep(0)
        while (found := self.poll()) is not None:
            if found is Place.BEHIND:
                await self.fetch()
            elif isinstance(found, Chunk | Signal):
                self._beat = False
                return found
            elif self._beat:
                self._beat = False
                return Signal.HEARTBEAT
            else:
                await self._bell.wait()
        raise StopAsyncIteration

    def deny(self, refusal: Refusal) -> None:
        self.put = None
        super().deny(refusal)

    def close(self) -> None:
        self.put = None
        super().close()

    def wake(self) -> None:
        if self.put is None:
            self._bell.ring()
        elif self._bell.awaited and not self._pushing:
            self._pushing = True
            self._feed.turn.add(self)

    def beat(self) -> None:
        self._beat = True
        self._bell.ring()

    def push(self, news: News | None) -> bool:
        """Write *news* while the iteration waits, if it can be done at once; else it goes on."""
        self._pushing = False
        if self.put is None or not self._bell.awaited:
            return False  # the iteration goes on, and comes by
        if news is None or not self.put(news.chunk):
            self._bell.ring()
            return False
        self.cursor = news.chunk.last
        if not news.complete:
            self._bell.ring()
        return True

    def desist(self) -> None:
        self.put = None
        self.wake()
