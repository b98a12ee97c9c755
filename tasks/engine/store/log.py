"""Adding to a run's log."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from tasks.engine.store.dialect import dialect
from tasks.events import Event

__all__ = ["append"]


def append(cursor: Any, entries: Iterable[tuple[UUID, Event]]) -> None:
    """Insert events. The primary key (run, seq) is what keeps a number from being used twice."""
    form = dialect()
    cursor.executemany(
        "INSERT INTO headway_event (run_id, seq, type, at, data) VALUES (%s, %s, %s, %s, %s)",
        [
            (form.id(run_id), event.seq, event.type, form.moment(event.at), event.data)
            for run_id, event in entries
        ],
    )
