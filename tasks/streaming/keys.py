"""The unique keys of StreamTasks' runs: they tell starts apart, and find a row's runs."""

import json
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import models

from tasks.stream_task import StreamTask

__all__ = ["key_of_run", "key_of_start", "keys_of_runs"]

_DIGITS = 32


def key_of_start(row: StreamTask) -> str:
    """What all who start the row from where it is now agree on.

    Of two that meet, the second finds the first one's run by it.
    """
    return f"{_prefix(row)}{_digest('after', str(row.run_id))}"


def key_of_run(row: StreamTask, run_id: UUID) -> str:
    """For a run that nobody has started with :func:`key_of_start`."""
    return f"{_prefix(row)}{_digest('itself', str(run_id))}"


def keys_of_runs(row: StreamTask) -> tuple[str, str]:
    """The lowest and the highest that a run of it may have, in the order of any database: they
    differ in digits alone.
    """
    return f"{_prefix(row)}{'0' * _DIGITS}", f"{_prefix(row)}{'f' * _DIGITS}"


def _prefix(row: StreamTask) -> str:
    # An older row may have had the same primary key.
    field: models.Field[Any, Any] = row._meta.get_field("run_id")
    label, created = field.model._meta.label_lower, row.created_at.timestamp()
    return f"stream:{_digest(label, str(row.pk), str(created))}:"


def _digest(*parts: str) -> str:
    return sha256(json.dumps(parts).encode()).hexdigest()[:_DIGITS]
