"""What a database itself tells other connections."""

from django.db import connections

from tasks.conf import conf
from tasks.engine.store.dialect import cursor

__all__ = ["data_version", "listen", "notified", "notify"]

_CHANNEL = "headway_wake"


def data_version() -> int:
    """SQLite: a number that changes when another connection commits."""
    with cursor() as open_cursor:
        open_cursor.execute("PRAGMA data_version")
        found: int = open_cursor.fetchone()[0]
        return found


def listen() -> None:
    """PostgreSQL: hear notifications on this thread's connection."""
    with cursor() as open_cursor:
        open_cursor.execute(f"LISTEN {_CHANNEL}")


def notified(timeout: float) -> bool:
    """PostgreSQL: wait up to *timeout* seconds; whether a notification came."""
    connection = connections[conf().database].connection
    return any(True for _ in connection.notifies(timeout=timeout, stop_after=1))


def notify() -> None:
    """PostgreSQL: send a notification to all who listen."""
    with cursor() as open_cursor:
        open_cursor.execute(f"NOTIFY {_CHANNEL}")
