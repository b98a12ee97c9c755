"""How much waits and runs in all, for those who watch over it."""

from dataclasses import dataclass, field
from typing import Any

from tasks.engine.store.dialect import cursor, dialect, read_by_index
from tasks.engine.store.queues import DEFERRED, WAITING
from tasks.engine.store.workers import live_workers

__all__ = ["CLAIMABLE_SINCE", "Backlog", "backlog"]

_OLDEST = 1000  # runs of a priority among which the one that waits longest is looked for

#: SQL of the moment from which on a run could be claimed.
CLAIMABLE_SINCE = "CASE WHEN run_after > enqueued_at THEN run_after ELSE enqueued_at END"


@dataclass(slots=True)
class Backlog:
    """What is under way and what waits, by queue; a queue without any is absent."""

    waiting: dict[str, int] = field(default_factory=dict)
    #: Seconds for which the oldest run that could be claimed now has waited.
    latency: dict[str, float] = field(default_factory=dict)
    running: dict[str, int] = field(default_factory=dict)
    #: Processes that execute runs.
    workers: int = 0

    def _add(self, queue_name: str, count: int, age: float) -> None:
        self.waiting[queue_name] = self.waiting.get(queue_name, 0) + count
        self.latency[queue_name] = max(self.latency.get(queue_name, 0.0), age)


_COUNTS = (
    f"SELECT queue_name, priority, count(*) FROM headway_run WHERE {WAITING}"
    " GROUP BY queue_name, priority"
)
# By id, which the index has, and not by the moment, which would read all that waits: of a
# priority, only runs that were deferred or tried again are out of order.
_AGE = (
    f"SELECT max({{age}}) FROM (SELECT run_after, enqueued_at FROM headway_run WHERE {WAITING}"
    " AND queue_name = %s AND priority = %s ORDER BY id LIMIT %s) AS oldest"
)
# Whoever claims clears the mark of runs that are due: they are many only where nobody does.
_DUE = (
    f"SELECT queue_name, count(*), max({{age}}) FROM headway_run WHERE {DEFERRED}"
    " AND run_after <= {now} GROUP BY queue_name"
)
_RUNNING = (
    "SELECT queue_name, count(*) FROM headway_run WHERE status = 'RUNNING' GROUP BY queue_name"
)


def backlog(silence: float) -> Backlog:
    """The backlog now. A worker counts that was seen in the last *silence* seconds."""
    form = dialect()
    age = form.since.format(moment=CLAIMABLE_SINCE)
    found = Backlog()
    with cursor() as reading:
        for queue_name, priority, count in read_by_index(reading, _COUNTS):
            parameters = (queue_name, priority, _OLDEST)
            ((oldest,),) = read_by_index(reading, _AGE.format(age=age), parameters)
            found._add(queue_name, count, oldest or 0.0)
        for row in _rows(reading, _DUE.format(age=age, now=form.now)):
            found._add(*row)
        found.running = dict(_rows(reading, _RUNNING))
    found.workers = len(live_workers(silence))
    return found


def _rows(cursor: Any, sql: str) -> list[Any]:
    cursor.execute(sql, ())  # without parameters, Django leaves %% doubled
    return list(cursor.fetchall())
