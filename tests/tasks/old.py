"""Finished runs of any age, and what is left of them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tasks.ids import first_id_at, new_run_id
from tasks.models import TaskEvent, TaskRun

__all__ = ["finished", "left"]


def finished(days: float = 0.0, *, waited: float = 0.0, events: int = 3, **fields: Any) -> TaskRun:
    """A run that ended so many days ago, after it had waited for so many."""
    end = datetime.now(UTC) - timedelta(days=days)
    enqueued = end - timedelta(days=waited)
    low = new_run_id().int & ((1 << 76) - 1)
    made = {
        "id": UUID(int=first_id_at(enqueued).int & ~((1 << 76) - 1) | low),
        "task": "tests.app.tasks.add",
        "status": "SUCCESSFUL",
        "enqueued_at": enqueued,
        "finished_at": end,
        "last_seq": events,
    }
    run = TaskRun.objects.create(**made | fields)
    TaskEvent.objects.bulk_create(
        TaskEvent(run=run, seq=seq, type="t", at=end, data="null") for seq in range(1, events + 1)
    )
    return run


def left() -> set[UUID]:
    """The runs that are left; each with its whole log, and no event without its run."""
    for run in TaskRun.objects.all():
        assert run.events.count() == run.last_seq
    ids = set(TaskRun.objects.values_list("id", flat=True))
    assert set(TaskEvent.objects.values_list("run_id", flat=True)) <= ids
    return ids
