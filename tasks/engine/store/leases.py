"""Leases: keeping runs, and taking back those whose process is silent."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from tasks.engine.store.dialect import as_uuid, cursor, dialect, in_groups, marks, writing
from tasks.engine.store.writes import RunWrite, apply

__all__ = ["Expired", "Held", "held", "renew", "rescue"]

_RESCUED_AT_ONCE = 100  # runs a transaction


@dataclass(frozen=True, slots=True)
class Held:
    """A run that is still this process's."""

    run_id: UUID
    fence: int
    cancel_requested: str


@dataclass(frozen=True, slots=True)
class Expired:
    """A running run whose lease is over."""

    run_id: UUID
    fence: int
    attempt: int
    max_attempts: int
    last_seq: int
    cancel_requested: str
    worker_id: str


def renew(worker_id: str, lease: float, run_ids: Iterable[UUID]) -> list[Held]:
    """Give these runs a fresh lease of *lease* seconds; return those that are *worker_id*'s.

    A run that was rescued meanwhile has another worker, so it stays the other's. A run
    that the worker does not know it has is not in *run_ids*, and comes to an end.
    """
    form = dialect()
    found: list[Held] = []
    with cursor() as open_cursor:
        for some in in_groups([form.id(run_id) for run_id in run_ids]):
            open_cursor.execute(
                "WITH mine AS (SELECT id FROM headway_run WHERE status = 'RUNNING'"
                f" AND worker_id = %s AND id IN ({marks(some)}) {form.for_update})"
                f" UPDATE headway_run SET lease_expires_at = {form.later}"
                " WHERE id IN (SELECT id FROM mine) RETURNING id, fence, cancel_requested",
                (worker_id, *some, lease),
            )
            found += [Held(as_uuid(row[0]), *row[1:]) for row in open_cursor.fetchall()]
    return found


def held(worker_id: str) -> list[Held]:
    """What :func:`renew` returns, without renewing."""
    with cursor() as open_cursor:
        open_cursor.execute(
            "SELECT id, fence, cancel_requested FROM headway_run"
            " WHERE status = 'RUNNING' AND worker_id = %s",
            (worker_id,),
        )
        return [Held(as_uuid(row[0]), *row[1:]) for row in open_cursor.fetchall()]


def rescue(decide: Callable[[Expired], RunWrite]) -> list[RunWrite]:
    """Write what *decide* says of every run whose lease is over; return the writes.

    Two processes may try at once: the row is locked, and then no longer RUNNING.
    """
    form = dialect()
    with cursor() as reading:  # no write lock while nothing has expired, which is nearly always
        reading.execute(
            "SELECT 1 FROM headway_run WHERE status = 'RUNNING'"
            f" AND lease_expires_at < {form.now} LIMIT 1",
            (),  # without parameters, Django leaves %% doubled
        )
        if reading.fetchone() is None:
            return []
    with writing() as open_cursor:
        open_cursor.execute(
            "SELECT id, fence, attempt, max_attempts, last_seq, cancel_requested, worker_id"
            f" FROM headway_run WHERE status = 'RUNNING' AND lease_expires_at < {form.now}"
            f" LIMIT %s {form.skip_locked}",
            (_RESCUED_AT_ONCE,),
        )
        writes = [decide(Expired(as_uuid(row[0]), *row[1:])) for row in open_cursor.fetchall()]
        apply(open_cursor, writes)
    return writes
