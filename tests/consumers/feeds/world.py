"""A hub in a world where commits, messages, reads and readers move only when told to."""

import asyncio
from collections.abc import Coroutine
from contextlib import closing, suppress
from typing import Any, Literal, TypeVar
from uuid import UUID

from consumers.feeds.chunk import Chunk
from consumers.feeds.hub import Hub
from consumers.feeds.watcher import Signal, Watcher
from tasks.conf import conf
from tasks.events import LayerBatch, shard_group
from tasks.models import TaskRun
from tasks.states import RunStatus
from tests.layers import stand_in

from ..fakes import FakeLayer, FakeLog
from ..loops import settle

__all__ = ["Reader", "World", "cancelled"]

T = TypeVar("T")


class Reader:
    """A client: what it has read, and whether it is reading on at the moment."""

    def __init__(self, run_id: UUID, cursor: int, watcher: Watcher) -> None:
        self.run_id = run_id
        self.cursor = cursor
        self.got: list[bytes] = []
        self.last: Signal | None = None
        self.reading = asyncio.Event()
        self.reading.set()
        self._watcher = watcher
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with closing(self._watcher):
            async for item in self._watcher:
                if isinstance(item, Chunk):
                    assert item.first == self.cursor + len(self.got) + 1
                    self.got += item.envelopes
                else:
                    self.last = item
                await self.reading.wait()


class World:
    """Everything at once, on a loop of its own that turns only inside these methods."""

    def __init__(self, runs: list[UUID]) -> None:
        self._loop = asyncio.new_event_loop()
        self.log = FakeLog()
        self.log.gated = True
        for run_id in runs:
            self.log.runs[run_id] = []
        self.layer = FakeLayer()
        self._restore = stand_in(self.layer)
        self.hub = Hub(self.log)
        self.flying: list[LayerBatch] = []
        self.rows: list[TaskRun] = []
        self.readers: list[Reader] = []
        self._serving: asyncio.Task[None] | None = None
        self.restart()

    def turn(self, turns: int) -> None:
        self._run(settle(turns))

    # What happens to a run

    def emit(self, run_id: UUID, count: int, finish: bool) -> None:
        """Commit, then publish to who is in the group at this moment."""
        if run_id not in self.log.finished:
            message = self.log.emit(run_id, count, finish)
            if self.layer.joined(shard_group(run_id, conf().shards)):
                self.flying.append(message)

    def deliver(self, index: int, keep: bool) -> None:
        message = self.flying[index] if keep else self.flying.pop(index)
        self.layer.deliver(message)

    def lose(self, index: int) -> None:
        del self.flying[index]

    def release(self, index: int, sees: Literal["then", "now"]) -> None:
        self.log.release(index, sees)

    # What happens to readers

    def row(self, run_id: UUID) -> TaskRun:
        finished = run_id in self.log.finished
        status = RunStatus.SUCCESSFUL if finished else RunStatus.RUNNING
        return TaskRun(id=run_id, last_seq=len(self.log.runs[run_id]), status=status)

    def fetch(self, run_id: UUID) -> None:
        """A view reads the row; whatever happens before it goes on."""
        self.rows.append(self.row(run_id))

    def join(self, index: int, cursor: int) -> None:
        row = self.rows.pop(index)
        cursor = min(cursor, row.last_seq)

        async def joined() -> Reader:
            return Reader(row.pk, cursor, self.hub.watch(row, cursor))

        self.readers.append(self._run(joined()))

    def leave(self, index: int) -> None:
        """A client goes without a word: its task is cancelled wherever it is."""
        reader = self.readers.pop(index)
        self._check(reader)
        self._run(cancelled(reader.task))

    # What happens to the hub

    def reconcile(self) -> None:
        feeds = list(self.hub._feeds.values())
        self._loop.create_task(self.hub.reconcile(feeds))

    def forget(self) -> None:
        """Redis came back empty, and nobody was told."""
        self.layer.groups.clear()

    def fail(self) -> None:
        self.layer.fail(ConnectionError("told to"))

    def restart(self) -> None:
        """The hub's child dies and the supervisor starts it again."""
        if self._serving is not None:
            self._run(cancelled(self._serving))
        self._serving = self._loop.create_task(self.hub.serve())

    # What must hold

    def check(self) -> None:
        if self._serving is not None and self._serving.done():
            self._serving.result()
            raise AssertionError("The hub has ended.")
        for reader in self.readers:
            self._check(reader)

    def finish(self) -> None:
        """The runs end, the messages of it are lost, and everybody reads to the end."""
        for run_id in self.log.runs:
            self.emit(run_id, 1, finish=True)
        for reader in self.readers:
            reader.reading.set()
        self.log.gated = False
        for _ in range(100):
            while self.log.waiting:
                self.log.release()
            self.reconcile()
            self.turn(10)
            if self.everyone_is_done():
                break
        assert self.everyone_is_done()
        for reader in self.readers:
            reader.task.result()
            assert reader.last is None
            assert reader.got == self.log.runs[reader.run_id][reader.cursor :]
        assert self.hub.watched == 0

    def everyone_is_done(self) -> bool:
        return all(reader.task.done() for reader in self.readers)

    def close(self) -> None:
        if self._serving is not None:
            self._run(cancelled(self._serving))
        for reader in self.readers:
            self._run(cancelled(reader.task))
        self._loop.close()
        self._restore()

    def _check(self, reader: Reader) -> None:
        end = reader.cursor + len(reader.got)
        assert reader.got == self.log.runs[reader.run_id][reader.cursor : end]
        assert reader.last is None
        if reader.task.done():
            reader.task.result()
            assert end == len(self.log.runs[reader.run_id])
            assert reader.run_id in self.log.finished

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(coroutine)


async def cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
