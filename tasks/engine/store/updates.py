"""What a write changes in the rows of its runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from tasks.engine.store.dialect import append, dialect
from tasks.events import Event
from tasks.states import TERMINAL, RunStatus

__all__ = ["Change", "RunWrite", "carry_on", "one_by_one"]


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
    stop_ignored: bool = False

    @property
    def last_seq(self) -> int:
        return self.events[-1].seq


def carry_on(cursor: Any, item: RunWrite) -> bool:
    """Raise the last seq of a run that goes on, if its attempt holds it and *item* is new.

    False if nothing was changed, whatever the reason.
    """
    if item.change is not None or item.stop_ignored:
        return False
    cursor.execute(
        "UPDATE headway_run SET last_seq = %s, progress = COALESCE(%s, progress)"
        " WHERE id = %s AND fence = %s AND status = 'RUNNING' AND last_seq < %s",
        (item.last_seq, item.progress, dialect().id(item.run_id), item.fence, item.last_seq),
    )
    return bool(cursor.rowcount)


def one_by_one(cursor: Any, writes: Sequence[RunWrite]) -> None:
    """Change the rows of *writes*, one after another: for SQLite, which is a call away.

    A statement that names no column of an index leaves the indexes alone.
    """
    _move(cursor, [item for item in writes if item.change is None])
    _end(cursor, [item for item in writes if item.change and item.change.status in TERMINAL])
    for item in writes:
        if item.change is not None and item.change.status == RunStatus.READY:
            _give_back(cursor, item, item.change)
        if item.change is not None and item.change.status == RunStatus.RUNNING:
            _lay_down(cursor, item)
        if item.stop_ignored:
            cursor.execute(
                "UPDATE headway_run SET stop_ignored = TRUE,"
                f" changed = {dialect().mark} WHERE id = %s",
                (dialect().id(item.run_id),),
            )


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
        " return_value = %s, finished_at = %s, worker_id = '', lease_expires_at = NULL,"
        f" changed = {form.mark} WHERE id = %s",
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
    # Never NULL: how long it waits is counted from now on.
    wait = form.later if change.delay else form.now
    cursor.execute(
        "UPDATE headway_run SET last_seq = %s, progress = COALESCE(%s, progress),"
        " status = 'READY', attempt = attempt - %s, worker_id = '', lease_expires_at = NULL,"
        f" run_after = {wait}, deferred = %s, changed = {form.mark} WHERE id = %s",
        (
            item.last_seq,
            item.progress,
            0 if change.counted else 1,
            *([change.delay] if change.delay else []),
            bool(change.delay),
            form.id(item.run_id),
        ),
    )
    _add_errors(cursor, [item])


def _lay_down(cursor: Any, item: RunWrite) -> None:
    """A run that goes on without a process."""
    form = dialect()
    cursor.execute(
        "UPDATE headway_run SET last_seq = %s, progress = COALESCE(%s, progress),"
        f" worker_id = '', lease_expires_at = NULL, changed = {form.mark} WHERE id = %s",
        (item.last_seq, item.progress, form.id(item.run_id)),
    )


def _add_errors(cursor: Any, writes: Sequence[RunWrite]) -> None:
    form = dialect()
    failed = [
        (item.change.error, item.change.error, form.id(item.run_id))
        for item in writes
        if item.change and item.change.error
    ]
    if failed:
        cursor.executemany(
            f"UPDATE headway_run SET errors = {append('errors', '%s')} WHERE id = %s", failed
        )
