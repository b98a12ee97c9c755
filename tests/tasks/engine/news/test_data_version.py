"""SQLite: hearing of what other connections commit, and not of the writer's own."""

import asyncio

import pytest

from tasks.engine import store
from tasks.engine.news.wakers.data_version import Waker
from tasks.engine.process.threads import DatabaseThread
from tasks.engine.store import RunWrite, Slot
from tasks.events import new_event
from tests.app import tasks as app

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.embedded,  # it is SQLite's
]


class Counted(Waker):
    """Says how often it has looked, and how often it woke somebody."""

    def __init__(self, writer: DatabaseThread) -> None:
        super().__init__(self._woken, writer)
        self.looks = self.wakes = 0
        self._changed = asyncio.Condition()

    async def looked(self, times: int) -> None:
        """Wait for so many looks from now on."""
        until = self.looks + times
        async with self._changed:
            await self._changed.wait_for(lambda: self.looks >= until)

    def _look(self) -> None:
        super()._look()
        self._loop.call_soon_threadsafe(lambda: asyncio.ensure_future(self._note()))

    def _woken(self) -> None:
        self.wakes += 1

    async def _note(self) -> None:
        async with self._changed:
            self.looks += 1
            self._changed.notify_all()


async def test_the_writers_own_commits_wake_nobody() -> None:
    writer = DatabaseThread("headway-test-writer")
    await app.add.aenqueue(1, 2)
    (claim,) = await writer.call(store.claim, "w", 60, Slot(1))
    waker = Counted(writer)
    serving = asyncio.create_task(waker.serve())
    try:
        await waker.looked(2)
        before = waker.wakes
        for seq in range(claim.started.seq + 1, claim.started.seq + 20):
            write = RunWrite(claim.run_id, claim.fence, [new_event(seq, "tick", seq)])
            assert await writer.call(store.write, [write]) == set()
        await waker.looked(3)
        assert waker.wakes == before
        await app.add.aenqueue(1, 2)
        await waker.looked(3)
        assert waker.wakes == before + 1
    finally:
        serving.cancel()
        await asyncio.wait({serving})
        writer.close()
