"""The runs of lists as the database has them."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from consumers.access.sight import Sight
from consumers.feeds.listing import Look, Plan, Shown
from consumers.snapshot import listed_envelope
from tasks.engine import store
from tasks.engine.process.threads import DatabaseThread
from tasks.engine.store import Horizon, Wanted
from tasks.models import TaskRun

__all__ = ["LOOKED_AT", "StoredRuns"]

LOOKED_AT = 256  #: runs that one look reads at most
_CONSIDERED = 2_000  # of the newest runs, to find those that somebody may see


class StoredRuns:
    """Reads in one thread, so that what is read later is newer."""

    def __init__(self) -> None:
        self._thread = DatabaseThread("headway-lists")
        self._number = 0

    async def look(self, seen: Horizon | None) -> Look:
        return await self._thread.call(self._look, seen)

    async def plan(self, wanted: Wanted, sight: Sight, seen: Horizon | None) -> Plan:
        return await self._thread.call(self._plan, wanted, sight, seen)

    async def fetch(self, run_ids: Sequence[UUID]) -> list[Shown]:
        return await self._thread.call(lambda: _written(store.fetch_runs(run_ids)))

    def close(self) -> None:
        self._thread.close()

    def _look(self, seen: Horizon | None) -> Look:
        number, now = self._next(), store.horizon()
        if seen is None:
            return Look(number, now, [])
        runs = store.changed_runs(seen, now, LOOKED_AT + 1)
        if len(runs) > LOOKED_AT:
            return Look(number, now, None)
        return Look(number, now, _written(run for run in runs if now.sees(run.changed)))

    def _plan(self, wanted: Wanted, sight: Sight, seen: Horizon | None) -> Plan:
        number, now = self._next(), store.horizon()
        if seen is None or seen.next > now.next:  # the latter is one of another database
            newest = store.newest_ids(wanted, sight.narrow, _CONSIDERED)
            return Plan(number, now, newest, anew=True)
        changed = store.changed_ids(wanted, sight.narrow, seen, now)
        return Plan(number, now, changed, anew=False)

    def _next(self) -> int:
        self._number += 1
        return self._number


def _written(runs: Iterable[TaskRun]) -> list[Shown]:
    return [Shown(run, listed_envelope(run)) for run in runs]
