"""SQLite: moving what its log holds into its file, before a commit has to.

A commit that finds a thousand pages in the log does it itself, and takes twenty times as long
as others: with one task that emits a hundred events a second, every 250th event waits for it.
"""

from django.db import connections

from tasks.conf import conf
from tasks.engine import store
from tasks.engine.process.children import Child
from tasks.engine.process.threads import DatabaseThread

__all__ = ["checkpoints"]

_EVERY = 1.0  # seconds; with nothing in the log it costs about 20 µs


def checkpoints() -> list[Child]:
    """The child that does it, where the database is SQLite's."""
    if connections[conf().database].vendor != "sqlite":
        return []
    return [Child("checkpoints", _serve)]


async def _serve() -> None:
    thread = DatabaseThread("headway-checkpoints")
    try:
        await thread.patrol(store.checkpoint, _EVERY)
    finally:
        thread.close()
