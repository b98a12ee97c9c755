"""The journal's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from tasks.engine.store import log
from tasks.engine.store.dialect import APPEND, as_uuid, dialect, marks, writing
from tasks.events import Event
from tasks.states import TERMINAL, RunStatus

__all__ = ["Change", "RunWrite", "apply", "write"]


@dataclass(frozen=True, slots=True)
class Change:
    """The end of an attempt. *return_value* and *error* are JSON text."""

    status: RunStatus
    return_value: str | None = None
    error: str | None = None
    delay: float = 0.0  # seconds until it may be claimed again
    counted: bool = True
    finished_at: datetime | None = None


@dataclass(slots=True)
class RunWrite:
    """What one flush writes for one attempt."""

    run_id: UUID
    fence: int
    events: list[Event] = field(default_factory=list)
    progress: str | None = None
    change: Change | None = None

    @property
    def last_seq(self) -> int:
        return self.events[-1].seq


def write(writes: Sequence[RunWrite]) -> set[UUID]:
    """Commit all of *writes* whose attempt still holds its run; give the ids of the others.

    A write that an earlier, unanswered commit already brought in counts as held: the
    caller may repeat a call that failed.
    """
    with writing() as cursor:
        rows = _rows(cursor, [item.run_id for item in writes])
        fresh: list[RunWrite] = []
        refused: set[UUID] = set()
        for item in writes:
            fence, status, last_seq = rows.get(item.run_id, (-1, "", 0))
            if fence == item.fence and last_seq >= item.last_seq:
                continue  # committed before, the answer was lost
            if fence == item.fence and status == RunStatus.RUNNING:
                fresh.append(item)
            else:
                refused.add(item.run_id)
        apply(cursor, fresh)
    return refused


def apply(cursor: Any, writes: Sequence[RunWrite]) -> None:
    """Carry out *writes* whose right to it the caller has made sure of in this transaction."""
    log.append(cursor, [(item.run_id, event) for item in writes for event in item.events])
    _move(cursor, [item for item in writes if item.change is None])
    _end(cursor, [item for item in writes if item.change and item.change.status in TERMINAL])
    for item in writes:
        if item.change is not None and item.change.status == RunStatus.READY:
            _give_back(cursor, item, item.change)


def _rows(cursor: Any, run_ids: Sequence[UUID]) -> dict[UUID, tuple[int, str, int]]:
    form = dialect()
    cursor.execute(
        "SELECT id, fence, status, last_seq FROM headway_run"
        f" WHERE id IN ({marks(run_ids)}) {form.for_update}",
        [form.id(run_id) for run_id in run_ids],
    )
    return {as_uuid(row[0]): row[1:] for row in cursor.fetchall()}


def _move(cursor: Any, writes: Sequence[RunWrite]) -> None:
    """Attempts that go on."""
    form = dialect()
    if writes:
        cursor.executemany(
            "UPDATE headway_run SET last_seq = %s, progress = COALESCE(%s, progress) WHERE id = %s",
            [(item.last_seq, item.progress, form.id(item.run_id)) for item in writes],
        )


def _end(cursor: Any, writes: Sequence[RunWrite]) -> None:
    """Runs that are over."""
    form = dialect()
    if not writes:
        return
    cursor.executemany(
        "UPDATE headway_run SET last_seq = %s, progress = COALESCE(%s, progress), status = %s,"
        " return_value = %s, finished_at = %s, worker_id = '', lease_expires_at = NULL"
        " WHERE id = %s",
        [
            (
                item.last_seq,
                item.progress,
                str(item.change.status),
                item.change.return_value,
                form.moment(item.change.finished_at),
                form.id(item.run_id),
            )
            for item in writes
            if item.change
        ],
    )
    _add_errors(cursor, writes)


def _give_back(cursor: Any, item: RunWrite, change: Change) -> None:
    """A run that is tried again."""
    form = dialect()
    wait = form.later if change.delay else "NULL"
    cursor.execute(
        "UPDATE headway_run SET last_seq = %s, progress = COALESCE(%s, progress),"
        " status = 'READY', attempt = attempt - %s, worker_id = '', lease_expires_at = NULL,"
        f" run_after = {wait} WHERE id = %s",
        (
            item.last_seq,
            item.progress,
            0 if change.counted else 1,
            *([change.delay] if change.delay else []),
            form.id(item.run_id),
        ),
    )
    _add_errors(cursor, [item])


def _add_errors(cursor: Any, writes: Sequence[RunWrite]) -> None:
    form = dialect()
    failed = [
        (item.change.error, item.change.error, form.id(item.run_id))
        for item in writes
        if item.change and item.change.error
    ]
    if failed:
        cursor.executemany(
            f"UPDATE headway_run SET {APPEND.format(column='errors')} WHERE id = %s", failed
        )
