"""Deleting finished runs with their logs, and keeping those that are watched from it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tasks.conf import conf
from tasks.engine.store.dialect import (
    as_uuid,
    cursor,
    dialect,
    in_groups,
    marks,
    read_by_index,
    writing,
)
from tasks.engine.store.messages import delete_messages
from tasks.engine.store.reads import clock
from tasks.ids import first_id_at
from tasks.models import TaskEvent, TaskRun
from tasks.states import TERMINAL

__all__ = ["Due", "discard", "due", "finished_queues", "keep", "prunable", "prune"]

KEPT = 60.0  #: seconds for which a watched run is marked, and a finished one is left alone
_RENEWED = 30.0  # of which so many are left when it is marked again
_LOCK = 0x48656164776179  # of PostgreSQL's advisory locks: one process deletes at a time

# In the words of the index ``headway_run_done``, or SQLite would not use it.
_DONE = f"status IN ({', '.join(repr(str(status)) for status in sorted(TERMINAL))})"
_NAME = f"SELECT queue_name FROM headway_run WHERE {_DONE}"
_NAMES = (
    f"WITH RECURSIVE names(name) AS (SELECT ({_NAME} ORDER BY queue_name LIMIT 1) UNION ALL"
    f" SELECT ({_NAME} AND queue_name > name ORDER BY queue_name LIMIT 1)"
    " FROM names WHERE name IS NOT NULL)"
    " SELECT name FROM names WHERE name IS NOT NULL"
)
_OF_KIND = f"FROM headway_run WHERE {_DONE} AND queue_name = %s AND status = %s"


@dataclass(frozen=True, slots=True)
class Due:
    """Finished runs of a queue and status that may go: up to *last*, ended before *before*."""

    queue: str
    status: str
    last: UUID
    before: datetime


def finished_queues() -> list[str]:
    """The queues that have finished runs."""
    with cursor() as reading:
        return [name for (name,) in read_by_index(reading, _NAMES)]


def due(queue: str, status: str, *, days: float | None, runs: int | None) -> list[Due]:
    """What goes of a queue and status: what ended *days* ago, and all but the newest *runs*."""
    found: list[Due] = []
    now = clock()
    with cursor() as reading:
        if days is not None:
            before = now - timedelta(days=days)
            # Ids tell when a run was enqueued, which was before its end.
            found.append(Due(queue, status, first_id_at(before), before))
        if runs is not None:
            sql = f"SELECT id {_OF_KIND} ORDER BY id DESC LIMIT 1 OFFSET %s"
            if oldest := read_by_index(reading, sql, (queue, status, runs)):
                found.append(Due(queue, status, as_uuid(oldest[0][0]), now))
    return found


def prunable(what: Collection[Due]) -> int:
    """How many runs :func:`prune` would delete in the end."""
    if not what:
        return 0
    clauses, parameters = zip(*map(_where, what), strict=True)
    either = " UNION ".join(f"SELECT id {clause}" for clause in clauses)
    with cursor() as reading:
        reading.execute(f"SELECT count(*) FROM ({either}) AS due", sum(parameters, ()))
        return int(reading.fetchone()[0])


def prune(what: Due, *, runs: int, events: int) -> int:
    """Delete the oldest of *what*: up to *runs* that have up to *events* in all, or one.

    One short transaction; nothing is locked where nothing is due. How many went: 0 as well
    while another process deletes.
    """
    clause, parameters = _where(what)
    with cursor() as reading:
        if not read_by_index(reading, f"SELECT id {clause} ORDER BY id LIMIT 1", parameters):
            return 0
    with writing() as open_cursor:
        if not _alone(open_cursor):
            return 0
        # A mark that was set since is seen: the row is read again once it is locked.
        sql = f"SELECT id, last_seq {clause} ORDER BY id LIMIT %s {dialect().skip_locked}"
        rows = read_by_index(open_cursor, sql, (*parameters, runs))
        ids = _fitting(rows, events)
        _delete(open_cursor, ids)
        return len(ids)


def discard(run_ids: Collection[UUID], *, events: int) -> set[UUID]:
    """Delete these runs, up to *events* in a transaction; those that were left.

    That is who has not finished, and who is watched.
    """
    left: set[UUID] = set()
    todo = sorted(run_ids)
    while todo:
        with writing() as open_cursor:
            rows, held = _discardable(open_cursor, todo)
            ids = _fitting(rows, events)
            _delete(open_cursor, ids)
        left |= held
        todo = [as_uuid(key) for key, _ in rows[len(ids) :]]
    return left


def _discardable(
    open_cursor: Any, run_ids: Collection[UUID]
) -> tuple[list[tuple[Any, int]], set[UUID]]:
    """Ids and sizes of the runs that may go, locked; and those that are there and may not."""
    form = dialect()
    free: list[tuple[Any, int]] = []
    held: set[UUID] = set()
    for some in in_groups([form.id(run_id) for run_id in run_ids]):
        open_cursor.execute(
            f"SELECT id, last_seq, {_DONE} AND {_unwatched()} FROM headway_run"
            f" WHERE id IN ({marks(some)}) {form.for_update}",
            tuple(some),
        )
        for key, size, goes in open_cursor.fetchall():
            if goes:
                free.append((key, size))
            else:
                held.add(as_uuid(key))
    return free, held


def keep(run_ids: Collection[UUID]) -> set[UUID]:
    """Keep finished runs from :func:`prune` for the next half a minute at least.

    Returns those that there are. A run that is marked for long enough is only read.
    """
    form = dialect()
    found: set[UUID] = set()
    with cursor() as open_cursor:
        for some in in_groups([form.id(run_id) for run_id in run_ids]):
            open_cursor.execute(
                f"SELECT id FROM headway_run WHERE id IN ({marks(some)})"
                f" AND watched_until >= {form.later}",
                (*some, _RENEWED),
            )
            marked = {as_uuid(row[0]) for row in open_cursor.fetchall()}
            found |= marked
            if rest := [key for key in some if as_uuid(key) not in marked]:
                open_cursor.execute(
                    f"WITH these AS (SELECT id FROM headway_run WHERE id IN ({marks(rest)})"
                    f" {form.for_update}) UPDATE headway_run SET watched_until = {form.later}"
                    " WHERE id IN (SELECT id FROM these) RETURNING id",
                    (*rest, KEPT),
                )
                found |= {as_uuid(row[0]) for row in open_cursor.fetchall()}
    return found


def _where(what: Due) -> tuple[str, tuple[Any, ...]]:
    form = dialect()
    clause = (
        f"{_OF_KIND} AND id <= %s AND finished_at < %s AND finished_at < {form.later}"
        f" AND {_unwatched()}"
    )
    before = form.moment(what.before)
    return clause, (what.queue, what.status, form.id(what.last), before, -KEPT)


def _unwatched() -> str:
    return f"(watched_until IS NULL OR watched_until < {dialect().now})"


def _alone(open_cursor: Any) -> bool:
    if not dialect().postgres:
        return True  # SQLite has one writer
    open_cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,))
    return bool(open_cursor.fetchone()[0])


def _fitting(rows: list[tuple[Any, int]], events: int) -> list[Any]:
    """As many of *rows* as have up to *events* in all; the first in any case."""
    ids: list[Any] = []
    total = 0
    for key, count in rows:
        total += count
        if ids and total > events:
            break
        ids.append(key)
    return ids


def _delete(open_cursor: Any, ids: list[Any]) -> None:
    others = [item for item in TaskRun._meta.related_objects if item.related_model is not TaskEvent]
    for some in in_groups(ids):
        delete_messages(open_cursor, list(some))
        if others:  # a project's models refer to runs: Django knows what is to become of them
            TaskRun.objects.using(conf().database).filter(pk__in=list(map(as_uuid, some))).delete()
            continue
        open_cursor.execute(f"DELETE FROM headway_event WHERE run_id IN ({marks(some)})", some)
        open_cursor.execute(f"DELETE FROM headway_run WHERE id IN ({marks(some)})", some)
