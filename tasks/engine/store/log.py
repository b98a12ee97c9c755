"""Adding to a run's log."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from tasks.engine.store.dialect import dialect, insert
from tasks.events import Event

__all__ = ["COLUMNS", "append", "row"]

COLUMNS = ("run_id", "seq", "type", "at", "data")


def row(run_id: UUID, event: Event) -> tuple[str, int, str, str | None, str]:
    """An event as its columns hold it."""
    form = dialect()
    return form.id(run_id), event.seq, event.type, form.moment(event.at), event.data


def append(cursor: Any, entries: Iterable[tuple[UUID, Event]]) -> None:
    """Insert events. The primary key (run, seq) is what keeps a number from being used twice.

    The caller has their runs locked, or adds them in the same transaction: the database
    itself does not look whether a run exists.
    """
    insert(cursor, "headway_event", COLUMNS, [row(run_id, event) for run_id, event in entries])
