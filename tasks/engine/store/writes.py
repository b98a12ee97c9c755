"""The journal's transaction."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tasks.engine.store import log, together, updates
from tasks.engine.store.dialect import as_moment, as_uuid, cursor, dialect, marks
from tasks.engine.store.plain import engine_writing
from tasks.engine.store.updates import Change, RunWrite
from tasks.events import Event
from tasks.states import RunStatus

__all__ = ["Change", "RunWrite", "apply", "write"]

#: Fence, status and last seq of runs.
Rows = dict[UUID, tuple[int, str, int]]


_EVENTS_TOGETHER = 50  # above that, COPY is worth its round trips


def write(writes: Sequence[RunWrite]) -> set[UUID]:
    """Commit all of *writes* whose attempt still holds its run; give the ids of the others.

    A write that an earlier, unanswered commit already brought in counts as held: the
    caller may repeat a call that failed.
    """
    few = sum(len(item.events) for item in writes) <= _EVENTS_TOGETHER
    if few and dialect().postgres:
        with cursor() as alone:
            return _judge(alone, writes, together.write(alone, writes))[1]
    with engine_writing() as open_cursor:
        rest = writes if dialect().postgres else _carried_on(open_cursor, writes)
        if not rest:
            return set()
        fresh, refused = _judge(open_cursor, rest, _rows(open_cursor, rest))
        apply(open_cursor, fresh)
    return refused


def _carried_on(cursor: Any, writes: Sequence[RunWrite]) -> list[RunWrite]:
    """Write what only adds to the log of a run that its attempt still holds; give the others.

    Nearly all writes are such, and SQLite needs not be asked first.
    """
    done: list[RunWrite] = []
    rest: list[RunWrite] = []
    for item in writes:
        (done if updates.carry_on(cursor, item) else rest).append(item)
    log.append(cursor, _entries(done))
    return rest


def _judge(cursor: Any, writes: Sequence[RunWrite], rows: Rows) -> tuple[list[RunWrite], set[UUID]]:
    """What of *writes* is to be written, and the ids of the runs that are others' now."""
    fresh: list[RunWrite] = []
    refused: set[UUID] = set()
    for item in writes:
        fence, status, last_seq = rows.get(item.run_id, (-1, "", 0))
        if fence == item.fence and last_seq >= item.last_seq:
            # Committed before, and the answer was lost; or the run was rescued meanwhile, and
            # the number is that of the rescuer's event.
            if not _written(cursor, item):
                refused.add(item.run_id)
            continue
        if fence == item.fence and status == RunStatus.RUNNING:
            fresh.append(item)
        else:
            refused.add(item.run_id)
    return fresh, refused


def apply(cursor: Any, writes: Sequence[RunWrite]) -> None:
    """Carry out *writes* whose right to it the caller has made sure of in this transaction."""
    log.append(cursor, _entries(writes))
    if dialect().postgres:
        together.change(cursor, writes)
    else:
        updates.one_by_one(cursor, writes)


def _entries(writes: Sequence[RunWrite]) -> list[tuple[UUID, Event]]:
    return [(item.run_id, event) for item in writes for event in item.events]


def _written(cursor: Any, item: RunWrite) -> bool:
    newest = item.events[-1]
    cursor.execute(
        "SELECT type, at, data FROM headway_event WHERE run_id = %s AND seq = %s",
        (dialect().id(item.run_id), newest.seq),
    )
    row = cursor.fetchone()
    found = (row[0], as_moment(row[1]), row[2]) if row else None
    return found == (newest.type, newest.at, newest.data)


def _rows(cursor: Any, writes: Sequence[RunWrite]) -> Rows:
    form = dialect()
    cursor.execute(
        "SELECT id, fence, status, last_seq FROM headway_run"
        f" WHERE id IN ({marks(writes)}) {form.for_update}",
        [form.id(item.run_id) for item in writes],
    )
    return {as_uuid(row[0]): row[1:] for row in cursor.fetchall()}
