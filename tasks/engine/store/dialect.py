"""Where SQLite and PostgreSQL differ in what the store says to them."""

from collections.abc import Iterator, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from django.db import connections, transaction

from tasks.conf import conf

__all__ = [
    "Dialect",
    "append",
    "as_moment",
    "as_uuid",
    "cursor",
    "dialect",
    "in_groups",
    "insert",
    "marks",
    "read_by_index",
    "writing",
]

T = TypeVar("T")


@dataclass(frozen=True)
class Dialect:
    """SQL fragments and parameter forms of one database vendor."""

    #: The database's clock: leases are judged by no other.
    now: str
    #: The database's clock at a run's first start, which was not before the run was enqueued.
    begun: str
    #: The database's clock plus a parameter in seconds.
    later: str
    #: Seconds from a moment, an expression, until now by the database's clock.
    since: str
    #: Keeps claimers from waiting for, or taking, each other's rows.
    skip_locked: str
    #: Keeps rows as read until the transaction ends. They are locked in the order of their
    #: ids, so that no two who lock the same rows wait for each other.
    for_update: str
    #: The number of a change of this transaction's; see :mod:`tasks.engine.store.changes`.
    mark: str
    postgres: bool

    def id(self, value: UUID) -> str:
        return value.hex

    def moment(self, value: datetime | None) -> str | None:
        if value is None or self.postgres:
            return None if value is None else value.isoformat()
        if value.tzinfo is not UTC:
            value = value.astimezone(UTC)
        return value.isoformat(" ", "microseconds")[:26]


_SQLITE = Dialect(
    now="strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')",
    # SQLite cuts the time to milliseconds, and a run may be claimed within one.
    begun="max(strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now'), enqueued_at)",
    later="strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', %s || ' seconds')",
    since="(julianday('now') - julianday({moment})) * 86400.0",
    # SQLite has one writer: BEGIN IMMEDIATE is lock enough.
    skip_locked="",
    for_update="",
    # Above all there are, and above those of runs deleted since, which is never less than a
    # minute after their last change.
    mark="(SELECT max(COALESCE(max(changed), 0) + 1, strftime('%%s', 'now') * 1000000)"
    " FROM headway_run WHERE changed IS NOT NULL)",
    postgres=False,
)

_POSTGRESQL = Dialect(
    # Not clock_timestamp(): an index is of no use for what changes within a statement.
    now="statement_timestamp()",
    begun="statement_timestamp()",
    later="statement_timestamp() + make_interval(secs => %s)",
    since="EXTRACT(EPOCH FROM statement_timestamp() - ({moment}))::float8",
    skip_locked="FOR UPDATE SKIP LOCKED",
    for_update="ORDER BY id FOR UPDATE",
    mark="pg_current_xact_id()::text::bigint",
    postgres=True,
)


@cache
def _of(alias: str) -> Dialect:
    return _POSTGRESQL if connections[alias].vendor == "postgresql" else _SQLITE


def dialect() -> Dialect:
    """The dialect of the database that holds the runs."""
    return _of(conf().database)


def cursor() -> Any:
    """A cursor on the calling thread's connection to that database."""
    return connections[conf().database].cursor()


@contextmanager
def writing() -> Iterator[Any]:
    """A cursor in a transaction: the caller's if it is in one, else a new one."""
    with transaction.atomic(using=conf().database), cursor() as open_cursor:
        yield open_cursor


def read_by_index(cursor: Any, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
    """The rows of a statement that takes a few from the beginning of an index.

    PostgreSQL's statistics may stem from a time when few runs waited: it would collect
    and sort all that wait now. The setting goes along with the statement, which costs no
    round trip and does not outlive it, whatever pools the connections.
    """
    if not dialect().postgres:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
    from psycopg import ClientCursor

    with cursor.db.wrap_database_errors, ClientCursor(cursor.db.connection) as plain:
        plain.execute(f"SET LOCAL enable_bitmapscan = off; {sql}", parameters)
        plain.nextset()
        return plain.fetchall()


def insert(cursor: Any, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Add *rows*. PostgreSQL's COPY takes a quarter of the time of its fastest INSERT."""
    if not rows:
        return
    names = ", ".join(columns)
    statement = f"INSERT INTO {table} ({names}) VALUES ({marks(columns)})"
    if len(rows) == 1:
        cursor.execute(statement, rows[0])
    elif dialect().postgres:
        # Django turns psycopg's errors into its own for execute() alone.
        with (
            cursor.db.wrap_database_errors,
            cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)
    else:
        cursor.executemany(statement, rows)


def append(column: str, item: str) -> str:
    """SQL of the JSON list in *column*, a text, with *item* at its end."""
    return (
        f"CASE WHEN {column} = '[]' THEN '[' || {item} || ']'"
        f" ELSE substr({column}, 1, length({column}) - 1) || ',' || {item} || ']' END"
    )


_IDS_AT_ONCE = 500  # old builds of SQLite take 999 parameters


def marks(values: Sized) -> str:
    """As many parameter marks as there are *values*."""
    return ", ".join(["%s"] * len(values))


def in_groups(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """*values* in groups that fit a statement."""
    for start in range(0, len(values), _IDS_AT_ONCE):
        yield values[start : start + _IDS_AT_ONCE]


def as_uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(hex=value)


def as_moment(value: datetime | str) -> datetime:
    """A moment as a raw cursor gives it: SQLite keeps UTC without saying so."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
