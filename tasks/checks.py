"""System checks: a bad setting is named at start, not met at run time."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.db import connections

from tasks.compat import task_backends
from tasks.conf import conf, problems

__all__ = ["check_backend", "check_database", "check_settings"]


def check_settings(**_: Any) -> list[CheckMessage]:
    """Every unknown key and every wrong value of ``HEADWAY``, by name."""
    return [Error(text, id="headway.E001") for text in problems(getattr(settings, "HEADWAY", {}))]


def check_database(**_: Any) -> list[CheckMessage]:
    """SQLite must lock when a transaction begins, and wait for its turn."""
    if problems(getattr(settings, "HEADWAY", {})):
        return []  # check_settings says it
    connection = connections[conf().database]
    if connection.vendor not in ("sqlite", "postgresql"):
        return [
            Error(
                f"Headway keeps its runs in SQLite or PostgreSQL, not {connection.vendor}.",
                hint='Name another database in HEADWAY["DATABASE"].',
                id="headway.E003",
            )
        ]
    options = connection.settings_dict.get("OPTIONS", {})
    if connection.vendor == "sqlite" and options.get("transaction_mode") != "IMMEDIATE":
        return [
            Warning(
                "SQLite is not in IMMEDIATE transaction mode: writers that meet will fail"
                " with 'database is locked' instead of waiting for each other.",
                hint="OPTIONS = {'transaction_mode': 'IMMEDIATE', 'timeout': 20, 'init_command':"
                " 'PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL'}",
                id="headway.W001",
            )
        ]
    return []


def check_backend(**_: Any) -> list[CheckMessage]:
    """Some entry of ``TASKS`` is Headway's; without one nothing is ever executed."""
    from tasks.backend import HeadwayBackend

    if any(isinstance(task_backends[alias], HeadwayBackend) for alias in settings.TASKS):
        return []
    return [
        Error(
            "No backend in TASKS is Headway's, so its tasks cannot be enqueued.",
            hint='TASKS = {"default": {"BACKEND": "tasks.backend.HeadwayBackend"}}',
            id="headway.E002",
        )
    ]
