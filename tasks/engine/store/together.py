"""Many writes with one statement: for PostgreSQL, where each costs a round trip."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from tasks.engine.store import log
from tasks.engine.store.dialect import append, as_uuid, dialect
from tasks.engine.store.updates import RunWrite

__all__ = ["change", "write"]

_GIVEN = {
    "id": "uuid",
    "fence": "bigint",
    "last_seq": "bigint",
    "progress": "text",
    "status": "text",  # NULL: the attempt goes on
    "return_value": "text",
    "finished_at": "timestamptz",
    "error": "text",
    "delay": "float8",  # NULL: it may be claimed at once
    "uncounted": "int",
    "ignored": "boolean",
}
_GOES_ON = (None, None, None, None, None, 0)
_EVENTS = dict(zip(log.COLUMNS, ("uuid", "bigint", "text", "timestamptz", "text"), strict=True))


def _table(name: str, columns: dict[str, str]) -> str:
    """SQL of a table whose columns are parameters, an array each."""
    arrays = ", ".join(f"%s::{type_}[]" for type_ in columns.values())
    return f"unnest({arrays}) AS {name}({', '.join(columns)})"


_CHANGE = (
    "UPDATE headway_run AS run SET last_seq = given.last_seq,"
    " progress = COALESCE(given.progress, run.progress),"
    " status = COALESCE(given.status, run.status),"
    " return_value = COALESCE(given.return_value, run.return_value),"
    " finished_at = COALESCE(given.finished_at, run.finished_at),"
    " worker_id = CASE WHEN given.status IS NULL THEN run.worker_id ELSE '' END,"
    " lease_expires_at = CASE WHEN given.status IS NULL THEN run.lease_expires_at END,"
    " attempt = run.attempt - given.uncounted,"
    " run_after = CASE WHEN given.status = 'READY' THEN statement_timestamp()"
    " + make_interval(secs => COALESCE(given.delay, 0)) ELSE run.run_after END,"
    " changed = CASE WHEN given.status IS NULL AND NOT given.ignored THEN run.changed"
    " ELSE pg_current_xact_id()::text::bigint END,"
    " deferred = given.delay IS NOT NULL,"
    " stop_ignored = run.stop_ignored OR given.ignored,"
    " errors = CASE WHEN given.error IS NULL THEN run.errors"
    f" ELSE {append('run.errors', 'given.error')} END"
    " FROM {given} WHERE run.id = given.id"
)
_CHANGE_GIVEN = _CHANGE.format(given=_table("given", _GIVEN))
_WRITE = (
    "WITH held AS (SELECT id, fence, status, last_seq FROM headway_run"
    " WHERE id = ANY(%s::uuid[]) ORDER BY id FOR UPDATE),"
    f" fresh AS (SELECT given.* FROM {_table('given', _GIVEN)} JOIN held USING (id, fence)"
    " WHERE held.status = 'RUNNING' AND held.last_seq < given.last_seq),"
    f" told AS (INSERT INTO headway_event ({', '.join(_EVENTS)})"
    f" SELECT event.* FROM {_table('event', _EVENTS)} JOIN fresh ON fresh.id = event.run_id),"
    f" changed AS ({_CHANGE.format(given='fresh AS given')})"
    " SELECT id, fence, status, last_seq FROM held"
)


def change(cursor: Any, writes: Sequence[RunWrite]) -> None:
    """Change the rows of *writes*, which the caller has locked."""
    if writes:
        cursor.execute(_CHANGE_GIVEN, _columns(map(_given, writes)))


def write(cursor: Any, writes: Sequence[RunWrite]) -> dict[UUID, tuple[int, str, int]]:
    """Lock the runs of *writes*, and write those that hold their run and are not written yet.

    Returns fence, status and last seq of the runs as they were found.
    """
    form = dialect()
    events = [log.row(item.run_id, event) for item in writes for event in item.events]
    ids = [form.id(item.run_id) for item in writes]
    cursor.execute(_WRITE, [ids, *_columns(map(_given, writes)), *_columns(events)])
    return {as_uuid(row[0]): row[1:] for row in cursor.fetchall()}


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _given(item: RunWrite) -> tuple[Any, ...]:
    form = dialect()
    row = (form.id(item.run_id), item.fence, item.last_seq, item.progress)
    if (end := item.change) is None:
        return (*row, *_GOES_ON, item.stop_ignored)
    return (
        *row,
        str(end.status),
        end.return_value,
        form.moment(end.finished_at),
        end.error,
        end.delay or None,
        0 if end.counted else 1,
        item.stop_ignored,
    )
