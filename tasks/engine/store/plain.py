"""SQLite past Django's layers, for what the engine does all the time.

They are made for a server's round trips: for a transaction of one event they take as long as
SQLite itself, and several times as long where nothing of them is in the processor's caches.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from django.db import connections

from tasks.conf import conf
from tasks.engine.store.dialect import writing

__all__ = ["PlainCursor", "engine_writing", "plain_cursor"]


@contextmanager
def engine_writing() -> Iterator[Any]:
    """:func:`~tasks.engine.store.dialect.writing`, for threads of the engine's own.

    Nothing in it may ask Django for a transaction: it does not know that there is one.
    """
    connection = connections[conf().database]
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        with writing() as open_cursor:
            yield open_cursor
        return
    with connection.wrap_database_errors:
        plain = plain_cursor()
        plain.execute("BEGIN IMMEDIATE")
        try:
            yield plain
            plain.execute("COMMIT")
        finally:
            if plain.in_transaction:
                plain.execute("ROLLBACK")


def plain_cursor() -> "PlainCursor":
    """A cursor on the calling thread's connection to a SQLite file."""
    connection = connections[conf().database]
    connection.ensure_connection()
    return PlainCursor(connection.connection)


class PlainCursor:
    """SQLite's own cursor, with the parameter marks of Django's."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._cursor = sqlite3.Cursor(connection)
        self.fetchone = self._cursor.fetchone
        self.fetchall = self._cursor.fetchall

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self._cursor.execute(_marked(sql), parameters)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._cursor.executemany(_marked(sql), rows)


@lru_cache(maxsize=512)
def _marked(sql: str) -> str:
    return sql.replace("%s", "?").replace("%%", "%")
