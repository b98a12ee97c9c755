"""What a database itself tells other connections, and what SQLite wants done beside them."""

from django.db import connections

from tasks.conf import conf
from tasks.engine.store.dialect import cursor
from tasks.engine.store.plain import plain_cursor

__all__ = ["checkpoint", "data_version", "listen", "notified", "notify"]

_CHANNEL = "headway_wake"


def data_version() -> int:
    """SQLite: a number that changes when another connection commits."""
    plain = plain_cursor()
    plain.execute("PRAGMA data_version")
    found: int = plain.fetchone()[0]
    return found


def checkpoint() -> None:
    """SQLite: move what is in the write-ahead log into the file, as far as nobody reads it there.

    Readers and writers go on meanwhile: https://www.sqlite.org/c3ref/wal_checkpoint_v2.html.
    """
    with cursor() as open_cursor:
        open_cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")


def listen() -> None:
    """PostgreSQL: hear notifications on this thread's connection."""
    with cursor() as open_cursor:
        open_cursor.execute(f"LISTEN {_CHANNEL}")


def notified(timeout: float) -> list[str]:
    """PostgreSQL: wait up to *timeout* seconds for notifications; what they say."""
    wrapper = connections[conf().database]
    with wrapper.wrap_database_errors:
        found = wrapper.connection.notifies(timeout=timeout, stop_after=1)
        return [notification.payload for notification in found]


def notify(payload: str) -> None:
    """PostgreSQL: send a notification to all who listen."""
    with cursor() as open_cursor:
        open_cursor.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, payload))
