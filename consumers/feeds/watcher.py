"""A watcher: one open stream's place in a run's log."""

import asyncio
from collections.abc import Callable

from consumers.feeds.bell import Bell
from consumers.feeds.chunk import Chunk
from consumers.feeds.feed import Feed, Place
from consumers.feeds.follower import Follower, Signal
from consumers.feeds.replay import Replay
from consumers.feeds.turn import Outlet
from consumers.refusal import Refusal

__all__ = ["Signal", "Watcher"]


class Watcher(Follower):
    """Iterates over what follows a cursor: chunks of events, and signals between them.

    Ends after the run's ``finished`` event, after :meth:`close`, or after a last
    signal. It is a number and a future: no queue, no task, no thread and no database
    connection while it waits.

    Who iterates may give an :attr:`outlet`: news are then written while it goes on waiting,
    which costs a third of waking it.
    """

    def __init__(
        self,
        feed: Feed,
        replay: Replay,
        cursor: int,
        on_close: Callable[[Feed], None],
        transport: str = "",
    ) -> None:
        #: Where news may be written past the iteration.
        self.outlet: Outlet | None = None
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
        self.outlet = None
        super().deny(refusal)

    def close(self) -> None:
        self.outlet = None
        super().close()

    def wake(self) -> None:
        self._leave()
        self._bell.ring()

    def beat(self) -> None:
        self._beat = True
        self.wake()

    def finish(self, rest: bytes) -> None:
        self.wake()
        if self.outlet is not None:
            self.outlet.direct.finish(rest)

    def desist(self) -> None:
        self.outlet = None
        self.wake()

    async def _rest(self) -> None:
        """Wait until woken."""
        self._feed.turn.join(self, self.cursor)
        try:
            await self._bell.wait()
        finally:
            self._leave()

    def _leave(self) -> None:
        moved = self._feed.turn.leave(self)
        if moved is not None:
            self.cursor = moved
