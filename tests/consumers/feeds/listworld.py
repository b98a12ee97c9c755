"""Lists of runs over a database whose transactions and reads move only when told to."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from consumers.feeds.listing import Look, Plan, Shown
from consumers.feeds.lists import Lists
from consumers.feeds.listwatcher import Listed, ListWatcher
from consumers.streams.wanted import Place
from tasks.engine.store import Horizon, Wanted
from tasks.models import TaskRun
from tasks.states import TERMINAL

from ..loops import settle

__all__ = ["FakeRuns", "ListWorld", "Viewer"]

T = TypeVar("T")

AT = datetime(2026, 11, 22, tzinfo=UTC)


class Transaction:
    """Changes that nobody sees yet."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.rows: dict[UUID, TaskRun] = {}


class FakeRuns:
    """PostgreSQL's way: numbers are taken at the first change, commits come in any order.

    A call is answered in three steps, and whatever happens between them is seen or not as
    it would be there: its turn comes, its horizon is taken, its rows are read.
    """

    def __init__(self, most: int) -> None:
        self.rows: dict[UUID, TaskRun] = {}
        self.open: list[Transaction] = []
        self.gated = True
        self._most = most
        self._next = 100
        self._number = 0
        self._calls: deque[tuple[Callable[..., Any], list[Any], asyncio.Future[Any]]] = deque()

    # Writers

    def begin(self) -> Transaction:
        made = Transaction(self._next)
        self._next += 1
        self.open.append(made)
        return made

    def locked(self, run_id: UUID) -> bool:
        return any(run_id in other.rows for other in self.open)

    def commit(self, index: int) -> None:
        self.rows |= self.open.pop(index).rows

    # Readers

    @property
    def waiting(self) -> int:
        return len(self._calls)

    def step(self) -> None:
        """Take the first call one step on."""
        answer, found, future = self._calls[0]
        if not found:
            self._number += 1
            found += [self._number, self.horizon()]
        else:
            self._calls.popleft()
            if not future.done():
                future.set_result(answer(*found))

    def horizon(self) -> Horizon:
        return Horizon(self._next, tuple(other.number for other in self.open))

    async def look(self, seen: Horizon | None) -> Look:
        def answer(number: int, now: Horizon) -> Look:
            if seen is None:
                return Look(number, now, [])
            found = self._news(seen, now)[: self._most + 1]
            if len(found) > self._most:
                return Look(number, now, None)
            return Look(number, now, [_shown(run) for run in found if now.sees(run.changed)])

        look: Look = await self._call(answer)
        return look

    async def plan(self, wanted: Wanted, sight: Any, seen: Horizon | None) -> Plan:
        def answer(number: int, now: Horizon) -> Plan:
            if seen is None:
                fit = [run.pk for run in self.rows.values() if wanted.has(run)]
                return Plan(number, now, sorted(fit, reverse=True), anew=True)
            return Plan(number, now, [run.pk for run in self._news(seen, now)], anew=False)

        plan: Plan = await self._call(answer)
        return plan

    async def fetch(self, run_ids: Sequence[UUID]) -> list[Shown]:
        found: list[Shown] = await self._call(
            lambda *_: [_shown(self.rows[run_id]) for run_id in run_ids if run_id in self.rows]
        )
        return found

    def close(self) -> None:
        pass

    def _news(self, seen: Horizon, now: Horizon) -> list[TaskRun]:
        return [
            run
            for run in self.rows.values()
            if not seen.sees(run.changed) and (run.changed or 0) < now.next
        ]

    async def _call(self, answer: Callable[..., Any]) -> Any:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._calls.append((answer, [], future))
        while not self.gated and not future.done():
            self.step()
        return await future


def _shown(run: TaskRun) -> Shown:
    return Shown(run, b"")


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
