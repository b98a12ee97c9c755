"""Whether the database is there, with the tables that this code was written for."""

from importlib import import_module
from pkgutil import iter_modules

from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from tasks.conf import conf
from tasks.engine.store.dialect import cursor

__all__ = ["answers", "unapplied"]

_APP = "headway_tasks"


def answers() -> bool:
    """Whether the database does what it is told; raises if it cannot be reached."""
    with cursor() as open_cursor:
        open_cursor.execute("SELECT 1")
        return bool(open_cursor.fetchone() == (1,))


def unapplied() -> list[str]:
    """The names of this app's migrations that the database has not seen.

    Those it has seen and this code does not know are of a newer release, which leaves
    older code beside it alone.
    """
    module, _ = MigrationLoader.migrations_module(_APP)
    if module is None:
        return []  # the project makes its tables without migrations, as some test runs do
    applied = MigrationRecorder(connections[conf().database]).applied_migrations()
    return sorted(name for name in _names(module) if (_APP, name) not in applied)


def _names(module: str) -> list[str]:
    path = import_module(module).__path__
    return [found.name for found in iter_modules(path) if found.name[0] not in "_~"]
