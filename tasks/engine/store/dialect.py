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
    "APPEND",
    "Dialect",
    "as_moment",
    "as_uuid",
    "cursor",
    "dialect",
    "in_groups",
    "marks",
    "writing",
]

T = TypeVar("T")


@dataclass(frozen=True)
class Dialect:
    """SQL fragments and parameter forms of one database vendor."""

    #: The database's clock: leases are judged by no other.
    now: str
    #: The database's clock plus a parameter in seconds.
    later: str
    #: Keeps claimers from waiting for, or taking, each other's rows.
    skip_locked: str
    #: Keeps a row as read until the transaction ends.
    for_update: str
    native: bool

    def id(self, value: UUID) -> Any:
        return value if self.native else value.hex

    def moment(self, value: datetime | None) -> Any:
        if value is None or self.native:
            return value
        if value.tzinfo is not UTC:
            value = value.astimezone(UTC)
        return value.isoformat(" ", "microseconds")[:26]


_SQLITE = Dialect(
    now="strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')",
    later="strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', %s || ' seconds')",
    # SQLite has one writer: BEGIN IMMEDIATE is lock enough.
    skip_locked="",
    for_update="",
    native=False,
)

_POSTGRESQL = Dialect(
    now="clock_timestamp()",
    later="clock_timestamp() + make_interval(secs => %s)",
    skip_locked="FOR UPDATE SKIP LOCKED",
    for_update="FOR UPDATE",
    native=True,
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


#: SQL that appends one item, a parameter, to a column holding a JSON list as text.
APPEND = (
    "{column} = CASE WHEN {column} = '[]' THEN '[' || %s || ']' "
    "ELSE substr({column}, 1, length({column}) - 1) || ',' || %s || ']' END"
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
