"""System checks: a bad setting is named at start, not met at run time.

None of these connects. What only the database can tell is in
:mod:`tasks.engine.upkeep.examination`.
"""

import sqlite3
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.db import connections

from tasks.backend import HeadwayBackend
from tasks.compat import task_backends
from tasks.conf import conf, problems
from tasks.surroundings import circumstances
from tasks.surroundings.mounts import file_system

__all__ = ["TAG", "check_backend", "check_database", "check_settings"]

#: Of all of Headway's checks: a process makes these when it starts.
TAG = "headway"

_OLDEST_SQLITE = (3, 35)  # it brought RETURNING
# Locks do not work there as SQLite needs them, and shared memory, which its write-ahead log
# is indexed in, not at all.
_NETWORK = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "glusterfs", "gpfs", "lustre", "ncpfs"),
        *("nfs", "nfs4", "smb3", "smbfs"),
        *("fuse.ceph", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs"),
    }
)


def check_settings(**_: Any) -> list[CheckMessage]:
    """Every unknown key and every wrong value of ``HEADWAY``, by name."""
    if found := problems(getattr(settings, "HEADWAY", {})):
        hint = "The README has a table of all keys."
        return [Error(text, hint=hint, id="headway.E001") for text in found]
    return list(_of_provider())


def _of_provider() -> Iterator[CheckMessage]:
    try:
        found = circumstances.provider()
        wrong = None if found is None or callable(found) else "is not callable"
    except ImportError as error:
        wrong = f"cannot be imported: {error}"
    if wrong is not None:
        yield Error(
            f"HEADWAY['REQUEST_ID_PROVIDER'] {wrong}",
            hint="Name a function () -> str or None.",
            id="headway.E008",
        )


def check_database(**_: Any) -> list[CheckMessage]:
    """The database is one that can hold runs, and its settings let writers wait their turn."""
    if problems(getattr(settings, "HEADWAY", {})):
        return []  # check_settings says it
    alias = conf().database
    if alias not in settings.DATABASES:
        return [
            Error(
                f"DATABASES has no {alias!r}, in which Headway would keep its runs.",
                hint="Name one of its aliases in HEADWAY['DATABASE'].",
                id="headway.E006",
            )
        ]
    connection = connections[alias]
    match connection.vendor:
        case "sqlite":
            return list(_of_sqlite(connection.settings_dict))
        case "postgresql":
            return list(_of_postgresql())
    return [
        Error(
            f"Headway keeps its runs in SQLite or PostgreSQL, not {connection.vendor}.",
            hint="Name another database in HEADWAY['DATABASE'].",
            id="headway.E003",
        )
    ]


def _of_postgresql() -> Iterator[CheckMessage]:
    from django.db.backends.postgresql.psycopg_any import is_psycopg3

    if not is_psycopg3:
        yield Error(
            "Headway needs psycopg 3, and Django has found psycopg2 alone.",
            hint="pip install 'django-headway[postgres]'",
            id="headway.E004",
        )


def _of_sqlite(given: dict[str, Any]) -> Iterator[CheckMessage]:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        yield Error(
            f"Headway needs SQLite 3.35 or newer, and Python has {sqlite3.sqlite_version}.",
            hint="Use a Python that is built with a newer one, or PostgreSQL.",
            id="headway.E005",
        )
    if given.get("OPTIONS", {}).get("transaction_mode") != "IMMEDIATE":
        yield Warning(
            "SQLite is not in IMMEDIATE transaction mode: writers that meet will fail"
            " with 'database is locked' instead of waiting for each other.",
            hint="OPTIONS = {'transaction_mode': 'IMMEDIATE', 'timeout': 20, 'init_command':"
            " 'PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL'}",
            id="headway.W001",
        )
    name = str(given.get("NAME", ""))
    if (kind := file_system(name)) in _NETWORK:
        yield Error(
            f"The SQLite file {name} is on a network file system ({kind}), where its locks and"
            " its write-ahead log do not work: runs would be lost.",
            hint="Put it on a disk of this machine, or use PostgreSQL.",
            id="headway.E007",
        )


def check_backend(**_: Any) -> list[CheckMessage]:
    """Some entry of ``TASKS`` is Headway's; without one nothing is ever executed."""
    if any(isinstance(task_backends[alias], HeadwayBackend) for alias in settings.TASKS):
        return []
    return [
        Error(
            "No backend in TASKS is Headway's, so its tasks cannot be enqueued.",
            hint='TASKS = {"default": {"BACKEND": "tasks.backend.HeadwayBackend"}}',
            id="headway.E002",
        )
    ]
