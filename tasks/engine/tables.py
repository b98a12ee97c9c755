"""Refusing to work on tables that this code was not written for."""

from tasks.engine import store
from tasks.engine.children import CannotStart
from tasks.engine.threads import DatabaseThread

__all__ = ["be_migrated"]


async def be_migrated() -> None:
    """Return if all migrations of Headway are applied; raises :class:`CannotStart`."""
    thread = DatabaseThread("headway-tables")
    try:
        missing = await thread.call(store.unapplied)
    finally:
        thread.close()
    if missing:
        raise CannotStart(
            f"migrations of headway_tasks are not applied ({', '.join(missing)}):"
            " run manage.py migrate"
        )
