"""What waits to be claimed, queue by queue."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tasks.engine.store.dialect import cursor, dialect, read_by_index, writing
from tasks.engine.store.workers import live_workers

__all__ = ["DEFERRED", "WAITING", "Front", "Slot", "fronts", "promote", "queues", "unserved"]

#: Runs that may be taken now, in the words of the index ``headway_run_claim``.
WAITING = "status = 'READY' AND NOT deferred"
DEFERRED = "status = 'READY' AND deferred"

_PROMOTED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Slot:
    """Room for *limit* runs, of the queues in *only* or of all but those in *but*."""

    limit: int
    only: Collection[str] = ()
    but: Collection[str] = ()

    def takes(self, queue_name: str) -> bool:
        return queue_name in self.only if self.only else queue_name not in self.but


class Front(NamedTuple):
    """A queue in which runs wait, and the highest of their priorities."""

    queue_name: str
    priority: int


# LIMIT 1 and not min(): by old statistics, PostgreSQL would read all for that.
_NAME = f"SELECT queue_name FROM headway_run WHERE {WAITING}"
_FIRST = f"({_NAME} ORDER BY queue_name LIMIT 1)"
_LAST = f"({_NAME} ORDER BY queue_name DESC LIMIT 1)"
_ENDS = (
    f"SELECT {_FIRST}, {_LAST}, EXISTS"
    f" (SELECT 1 FROM headway_run WHERE {DEFERRED} AND run_after <= {{now}})"
)
# A loose scan: from each name the index leads to the next, however many runs lie between.
_NAMES = (
    f"WITH RECURSIVE names(name) AS (SELECT {_FIRST} UNION ALL"
    f" SELECT ({_NAME} AND queue_name > name ORDER BY queue_name LIMIT 1)"
    " FROM names WHERE name IS NOT NULL)"
    " SELECT name FROM names WHERE name IS NOT NULL"
)
_FRONT = (
    "SELECT * FROM (SELECT queue_name, priority, id FROM headway_run"
    f" WHERE {WAITING} AND queue_name = %s ORDER BY priority DESC, id LIMIT 1) AS front"
)


def queues(reading: Any, slot: Slot) -> tuple[list[str], bool]:
    """Where runs wait, of the queues *slot* takes; and whether deferred runs are due."""
    ((first, last, due),) = read_by_index(reading, _ENDS.format(now=dialect().now))
    if first is None:
        names = []
    elif first == last:  # nearly always: there is no other queue
        names = [first]
    else:
        names = [name for (name,) in read_by_index(reading, _NAMES)]
    return [name for name in names if slot.takes(name)], bool(due)


def fronts(reading: Any, names: Sequence[str]) -> list[Front]:
    """The fronts of these queues, best first: the higher priority, then the older run."""
    rows = read_by_index(reading, " UNION ALL ".join([_FRONT] * len(names)), names)
    rows.sort(key=lambda row: (-row[1], row[2]))
    return [Front(name, priority) for name, priority, _ in rows]


def unserved(silence: float) -> set[str]:
    """Queues in which runs wait that no process takes which was seen in the last seconds."""
    with cursor() as reading:
        names, _ = queues(reading, Slot(1))
    living = [worker for worker in live_workers(silence) if not worker.draining] if names else []
    return {name for name in names if not any(worker.takes(name) for worker in living)}


def promote() -> None:
    """Let deferred runs that are due be claimed: so many at once that it takes no long lock."""
    form = dialect()
    with writing() as open_cursor:
        open_cursor.execute(
            f"WITH due AS (SELECT id FROM headway_run WHERE {DEFERRED}"
            f" AND run_after <= {form.now} ORDER BY run_after LIMIT %s {form.skip_locked})"
            " UPDATE headway_run SET deferred = FALSE WHERE id IN (SELECT id FROM due)",
            (_PROMOTED_AT_ONCE,),
        )
