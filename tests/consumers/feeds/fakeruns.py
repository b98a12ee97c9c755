"""A database whose transactions and reads move only when told to."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from consumers.feeds.listing import Look, Plan, Shown
from tasks.engine.store import Horizon, Wanted
from tasks.models import TaskRun


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
