"""A hub over a layer and a log that do what a test says."""

import asyncio
from contextlib import closing, suppress
from uuid import UUID, uuid4

from consumers.feeds.chunk import Chunk
from consumers.feeds.hub import Hub
from consumers.feeds.watcher import Signal, Watcher
from tasks.conf import conf
from tasks.events import shard_group
from tasks.models import TaskRun
from tasks.states import RunStatus

from ..fakes import FakeLayer, FakeLog, seqs

RUN = uuid4()


class Bench:
    """A hub between a log and a layer that the test holds in its hands."""

    def __init__(self) -> None:
        self.log = FakeLog()
        self.layer = FakeLayer()
        self.hub = Hub(self.log)
        self.serving: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        self.serving = asyncio.create_task(self.hub.serve())
        await self.hub.ready.wait()

    async def stop(self) -> None:
        if self.serving is not None:
            self.serving.cancel()
            with suppress(asyncio.CancelledError):
                await self.serving

    def watch(self, run_id: UUID = RUN, cursor: int = 0) -> "asyncio.Task[list[int | Signal]]":
        watcher = self.hub.watch(self.row(run_id), cursor)
        return asyncio.create_task(numbers(watcher))

    def row(self, run_id: UUID = RUN) -> TaskRun:
        log = self.log.runs.setdefault(run_id, [])
        status = RunStatus.SUCCESSFUL if run_id in self.log.finished else RunStatus.RUNNING
        return TaskRun(id=run_id, last_seq=len(log), status=status)


async def numbers(watcher: Watcher) -> list[int | Signal]:
    found: list[int | Signal] = []
    with closing(watcher):
        async for item in watcher:
            found += seqs(item.first, item.last) if isinstance(item, Chunk) else [item]
    return found


def group_of(run_id: UUID) -> str:
    return shard_group(run_id, conf().shards)
