"""Which runs have changed their state since somebody looked.

Every statement that changes what a list shows of a run marks it with a number, in
``TaskRun.changed``. Neither a clock nor a sequence would do for that: one who takes a number
early and commits late would be overlooked by a reader who has come past it in between.

On PostgreSQL the number is that of the transaction, and what a reader keeps is the database's
own snapshot: which numbers were still to come when it looked (:attr:`Horizon.next` and above),
and which below were under way (:attr:`Horizon.open`). PostgreSQL shows a reader exactly the
transactions that are in neither, if they have committed. So a run's present state is news for a
reader if and only if its number is in one of the two, however long a transaction takes and
whatever the clocks say. Numbers of a database that was restored elsewhere may be ahead; they
are no news before they are due.

SQLite has one writer at a time: a number above all there are is in the order of the commits,
and nothing is ever under way. A number is not used again when its run is deleted, since it is
above the second it was taken in, in millionths, and a run outlives its last change by a minute.

What is in both cases read after a horizon was taken may be newer than it. Whoever keeps the
horizon leaves out what it does not see: the next look has it.
"""

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from tasks.conf import conf
from tasks.engine.store.dialect import cursor, dialect, in_groups
from tasks.models import TaskRun

__all__ = ["Horizon", "change_number", "changed_runs", "fetch_runs", "horizon", "news"]


class Horizon(NamedTuple):
    """Which changes a reader has seen: those below *next* that were not *open*."""

    next: int
    open: tuple[int, ...] = ()

    def sees(self, changed: int | None) -> bool:
        return changed is None or (changed < self.next and changed not in self.open)


_ON_POSTGRESQL = "SELECT pg_current_snapshot()::text"
_ON_SQLITE = "SELECT COALESCE(max(changed), 0) FROM headway_run WHERE changed IS NOT NULL"


def horizon() -> Horizon:
    """What there is to be seen now."""
    with cursor() as reading:
        reading.execute(_ON_POSTGRESQL if dialect().postgres else _ON_SQLITE, ())
        found = reading.fetchone()[0]
    if not dialect().postgres:
        return Horizon(found + 1)
    _, following, open_ = found.split(":")
    return Horizon(int(following), tuple(map(int, open_.split(","))) if open_ else ())


def change_number(open_cursor: Any) -> int:
    """The number for changes of the cursor's transaction, where a statement cannot ask itself."""
    open_cursor.execute(f"SELECT {dialect().mark}", ())
    number: int = open_cursor.fetchone()[0]
    return number


def news(seen: Horizon, now: Horizon) -> Q:
    """Runs whose change *seen* does not have; none that *now* is too early for."""
    return (Q(changed__gte=seen.next) | Q(changed__in=seen.open)) & Q(changed__lt=now.next)


def changed_runs(seen: Horizon, now: Horizon, limit: int) -> list[TaskRun]:
    """Up to *limit* runs that have changed since, as they are."""
    return list(_runs().filter(news(seen, now))[:limit])


def fetch_runs(run_ids: Collection[UUID]) -> list[TaskRun]:
    """These runs in this order, without those that have gone."""
    found: dict[UUID, TaskRun] = {}
    for some in in_groups(list(run_ids)):
        found |= _runs().in_bulk(some)
    return [found[run_id] for run_id in run_ids if run_id in found]


def _runs() -> QuerySet[TaskRun]:
    # Unordered: the primary key's order would be taken from its index, for a whole table.
    return TaskRun.objects.using(conf().database).order_by()
