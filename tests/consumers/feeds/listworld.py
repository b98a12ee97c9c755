"""Lists of runs over a database whose transactions and reads move only when told to."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from consumers.feeds.lists import Lists
from consumers.feeds.listwatcher import Listed, ListWatcher
from consumers.streams.wanted import Place
from tasks.engine.store import Wanted
from tasks.models import TaskRun
from tasks.states import TERMINAL

from ..loops import settle
from .fakeruns import FakeRuns

__all__ = ["FakeRuns", "ListWorld", "Viewer"]

T = TypeVar("T")

AT = datetime(2026, 11, 22, tzinfo=UTC)


class Sight:
    """Sees the runs of even numbers."""

    def narrow(self, runs: Any) -> Any:
        raise AssertionError

    async def see(self, runs: Sequence[TaskRun]) -> list[TaskRun]:
        return [run for run in runs if run.pk.int % 2 == 0]


class Viewer:
    """A client with a list: what it knows, and how far it says it is."""

    def __init__(self, lists: Lists, wanted: Wanted, limit: int = 1000) -> None:
        self.wanted = wanted
        self.known: dict[UUID, TaskRun] = {}
        self.after: str | None = None
        self.reading = asyncio.Event()
        self.reading.set()
        self._lists = lists
        self._limit = limit
        self._place = Place(wanted)
        self._loose: set[UUID] = set()  # of what belongs together, and is not whole yet
        self._repeatable: set[UUID] = set()
        self.task: asyncio.Task[None] | None = None

    def connect(self) -> None:
        seen = self._place.parse(self.after)
        self._repeatable, self._loose = self._repeatable | self._loose, set()
        sight: Any = Sight()
        watcher = ListWatcher(self._lists, self.wanted, sight, seen, self._limit)
        self.task = asyncio.create_task(self._read(watcher))

    async def disconnect(self) -> None:
        if self.task is not None:
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task
            self.task = None

    async def _read(self, watcher: ListWatcher) -> None:
        with closing(watcher):
            async for item in watcher:
                assert isinstance(item, Listed)
                self._take(item)
                await self.reading.wait()

    def _take(self, item: Listed) -> None:
        assert item.anew in (None, self.after is None)
        if item.anew:
            self.known.clear()
        for run in (shown.run for shown in item.shown):
            assert run.pk.int % 2 == 0
            had = self.known.get(run.pk)
            if had is not None:
                again = run.pk in self._repeatable
                assert run.last_seq > had.last_seq or (again and run.last_seq == had.last_seq)
            self._repeatable.discard(run.pk)
            self._loose.add(run.pk)
            self.known[run.pk] = run
        if item.horizon is not None:
            self.after = self._place.text(item.horizon)
            self._loose.clear()
            self._repeatable.clear()


class ListWorld:
    """Everything at once, on a loop of its own that turns only inside these methods."""

    def __init__(self, run_ids: list[UUID], most: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._run_ids = run_ids
        self.runs = FakeRuns(most)
        self.lists = Lists(self.runs)
        self.viewers: list[Viewer] = []
        self._serving = self._loop.create_task(self.lists.serve())

    def turn(self, turns: int) -> None:
        self._run(settle(turns))

    def read_all(self) -> None:
        self.turn(5)
        while self.runs.waiting:
            self.runs.step()
            self.turn(5)

    def change(self, transaction: int, run_id: UUID, status: str) -> None:
        """In a transaction: an open one, or a new one."""
        if self.runs.locked(run_id):
            return
        old = self.runs.rows.get(run_id)
        if old is not None and old.status in TERMINAL:
            return
        if transaction < len(self.runs.open):
            changing = self.runs.open[transaction]
        else:
            changing = self.runs.begin()
        began = AT if status != "READY" or (old is not None and old.started_at) else None
        changing.rows[run_id] = TaskRun(
            id=run_id,
            task="a.b",
            queue_name="default" if run_id.int % 3 else "mail",
            status=status,
            started_at=began,
            last_seq=(old.last_seq if old else 0) + 1,
            changed=changing.number,
            metadata={},
        )

    def join(self, wanted: Wanted) -> None:
        viewer = Viewer(self.lists, wanted)
        self.viewers.append(viewer)
        self.connect(viewer)

    def connect(self, viewer: Viewer) -> None:
        async def connect() -> None:
            viewer.connect()

        self._run(connect())

    def disconnect(self, viewer: Viewer) -> None:
        self._run(viewer.disconnect())

    def check(self) -> None:
        for task in (self._serving, *(viewer.task for viewer in self.viewers)):
            if task is not None and task.done():
                task.result()
                raise AssertionError("It has ended.")

    def finish(self) -> None:
        """All commits, all come back and read, and something is heard once more."""
        while self.runs.open:
            self.runs.commit(0)
        self.runs.gated = False
        for viewer in self.viewers:
            viewer.reading.set()
            if viewer.task is None:
                self.connect(viewer)
        for _ in range(5):
            self.read_all()
            self.lists.hear()
            self.turn(50)
        self.check()
        for viewer in self.viewers:
            self._check_whole(viewer)

    def _check_whole(self, viewer: Viewer) -> None:
        for run_id, run in self.runs.rows.items():
            if run_id.int % 2 == 0 and viewer.wanted.has(run):
                assert viewer.known[run_id].last_seq == run.last_seq
        for run_id, known in viewer.known.items():
            if viewer.wanted.has(known):  # what it shows is on the list, and as it is
                assert known.last_seq == self.runs.rows[run_id].last_seq

    def close(self) -> None:
        for viewer in self.viewers:
            self.disconnect(viewer)
        self._serving.cancel()
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._serving)
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(coroutine)
