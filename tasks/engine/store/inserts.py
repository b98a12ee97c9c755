"""Storing new runs, each with its ``queued`` event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections

from tasks.codec import encode
from tasks.conf import conf
from tasks.engine.store import log
from tasks.engine.store.changes import change_number
from tasks.engine.store.dialect import cursor, dialect, insert, marks, writing
from tasks.events import QUEUED, Event
from tasks.models import TaskRun

__all__ = ["NewRun", "insert_runs", "insert_unique"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run about to be stored; *args*, *kwargs* and *metadata* are JSON text already."""

    id: UUID
    task: str
    args: str
    kwargs: str
    queue_name: str
    priority: int
    run_after: datetime | None
    backend: str
    max_attempts: int
    timeout: float | None
    metadata: str
    #: JSON text of its :class:`tasks.definition.options.Options`.
    options: str = "{}"
    user: Any
    #: JSON text; see :mod:`tasks.surroundings.circumstances`.
    context: str = "{}"
    enqueued_at: datetime
    #: Of who enqueued it: W3C Trace Context, or nothing.
    trace: Mapping[str, str] = field(default_factory=dict)

    def queued(self) -> Event:
        data = {"task": self.task, "queue_name": self.queue_name, "priority": self.priority}
        return Event(1, QUEUED, self.enqueued_at, encode({**data, **self.trace}))


_COLUMNS = (
    *("id", "task", "args", "kwargs", "queue_name", "priority", "run_after", "deferred"),
    *("backend", "max_attempts", "timeout", "metadata", "options", "user_id"),
    *("enqueued_at", "unique_key", "context"),
    *("status", "attempt", "fence", "worker_id", "cancel_requested", "last_seq"),
    *("errors", "worker_ids", "changed"),
)
_UNSTARTED = ("READY", 0, 0, "", "", 1, "[]", "[]")


def _row(run: NewRun, unique_key: str | None = None, *marked: int) -> tuple[Any, ...]:
    """As the columns hold it, the last one only where it is given."""
    form = dialect()
    return (
        form.id(run.id),
        run.task,
        run.args,
        run.kwargs,
        run.queue_name,
        run.priority,
        form.moment(run.run_after),
        run.run_after is not None,
        run.backend,
        run.max_attempts,
        run.timeout,
        run.metadata,
        run.options,
        None if run.user is None else _key(run.user),
        form.moment(run.enqueued_at),
        unique_key,
        run.context,
        *_UNSTARTED,
        *marked,
    )


def _key(user: Any) -> Any:
    """A user's primary key as the column holds it: a project's may be a UUID."""
    return TaskRun._meta.get_field("user").get_db_prep_save(user, connections[conf().database])


def insert_runs(runs: Sequence[NewRun]) -> None:
    """Store *runs*: all or none."""
    if len(runs) == 1:
        _insert_one(runs[0])
        return
    with writing() as together:
        number = change_number(together)
        rows = [_row(run, None, number) for run in runs]
        insert(together, "headway_run", _COLUMNS, rows)
        log.append(together, [(run.id, run.queued()) for run in runs])


def insert_unique(run: NewRun, unique_key: str) -> TaskRun | None:
    """Store *run* under a key, unless a run has it: then store nothing and give that one."""
    if _insert_one(run, unique_key):
        return None
    return TaskRun.objects.using(conf().database).get(unique_key=unique_key)


def give_key(run_id: UUID, unique_key: str) -> None:
    """Have a run that was stored without a key be found by this one."""
    with cursor() as alone:
        alone.execute(
            "UPDATE headway_run SET unique_key = %s WHERE id = %s AND unique_key IS NULL",
            (unique_key, dialect().id(run_id)),
        )


_RUN = f"INSERT INTO headway_run ({', '.join(_COLUMNS)}) VALUES ({marks(_COLUMNS[1:])}, {{number}})"
_UNLESS_KEPT = " ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL DO NOTHING"
_WITH_EVENT = (
    f"WITH run AS ({_RUN}{_UNLESS_KEPT} RETURNING id) INSERT INTO headway_event"
    f" ({', '.join(log.COLUMNS)}) SELECT id, %s, %s, %s::timestamptz, %s FROM run"
)


def _insert_one(run: NewRun, unique_key: str | None = None) -> bool:
    """Store *run*; False if another one has the key."""
    row, event = _row(run, unique_key), log.row(run.id, run.queued())
    number = dialect().mark
    if dialect().postgres:
        with cursor() as alone:  # one statement, which is a transaction by itself
            alone.execute(_WITH_EVENT.format(number=number), (*row, *event[1:]))
            return bool(alone.rowcount)
    with writing() as together:
        together.execute(_RUN.format(number=number) + _UNLESS_KEPT, row)
        inserted = bool(together.rowcount)
        if inserted:
            insert(together, "headway_event", log.COLUMNS, [event])
    return inserted
