"""A watcher: one open stream's place in a run's log."""

import asyncio
from collections.abc import Callable

from consumers.chunk import Chunk
from consumers.feed import Feed, Place
from consumers.follower import Follower, Signal
from consumers.refusal import Refusal
from consumers.replay import Replay

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
        self._waiter: asyncio.Future[None] | None = None
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
                await self._news()
        raise StopAsyncIteration

    def deny(self, refusal: Refusal) -> None:
        self.put = None
        super().deny(refusal)

    def close(self) -> None:
        self.put = None
        super().close()

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
