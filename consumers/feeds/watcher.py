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
                await self._rest()
        raise StopAsyncIteration

    def deny(self, refusal: Refusal) -> None:
        self.put = None
        super().deny(refusal)

    def close(self) -> None:
        self.put = None
        super().close()

    def wake(self) -> None:
        self._feed.turn.waiting.discard(self)
        self._bell.ring()

    def beat(self) -> None:
        self._beat = True
        self.wake()

    def push(self, news: News | None) -> bool:
        """Write *news* while the iteration waits, if it can be done at once; else it goes on."""
        put = self.put
        if put is None or news is None or not put(news.chunk):
            self.wake()
            return False
        self.cursor = news.chunk.last
        if not news.complete:
            self.wake()
        return True

    def desist(self) -> None:
        self.put = None
        self.wake()

    async def _rest(self) -> None:
        """Wait until woken."""
        if self.put is not None:
            self._feed.turn.waiting.add(self)
        try:
            await self._bell.wait()
        finally:
            self._feed.turn.waiting.discard(self)
