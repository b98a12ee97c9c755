"""Completed StreamTasks go with their runs and events; nothing else does."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from tasks.coordinator import coordinator
from tasks.handles import Handle
from tasks.models import TaskEvent, TaskRun
from tasks.stream_run import _taken
from tasks.streaming import cleanup
from tasks.streaming.cleanup import clean_up
from tests.streamed.models import ExampleTask, TwinTask
from tests.streamed.twin.models import TwinTask as OtherTwin

pytestmark = pytest.mark.django_db(transaction=True)


def task(model: Any = ExampleTask, *, hours: float | None = 3, pk: Any = None, **run: Any) -> Any:
    """A row that was completed so long ago, and its run."""
    made = model._default_manager.create(pk=pk)
    coordinator.start_task(made)
    if hours is not None:
        made.completed_at = timezone.now() - timedelta(hours=hours)
        made.save()
        run = {"status": "SUCCESSFUL", "finished_at": made.completed_at, **run}
    TaskRun.objects.filter(pk=made.run_id).update(**run)
    return made


def said(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("cleanup_old_tasks", *arguments, stdout=out)
    return out.getvalue().splitlines()


def left() -> tuple[int, int, int]:
    """Rows, runs, and runs that have events."""
    runs = TaskEvent.objects.values("run_id").distinct().count()
    return ExampleTask._default_manager.count(), TaskRun.objects.count(), runs


def test_what_is_old_goes_with_its_runs_and_events() -> None:
    for hours in (3, 2.1, 1.9, 0, None):
        task(hours=hours)
    task(TwinTask)
    task(OtherTwin)
    assert said("--hours", "2", "--dry-run") == [
        "Would delete 2 of streamed.ExampleTask.",
        "Would delete 1 of streamed.TwinTask.",
        "Would delete 1 of streamed_twin.TwinTask.",
        "Would delete 4 completed tasks.",
    ]
    assert left() == (5, 7, 7)
    assert said("--hours", "2")[-1] == "Deleted 4 completed tasks."
    assert left() == (3, 3, 3)
    assert said("--hours", "2") == ["Deleted 0 completed tasks."]
    assert said() == ["Deleted 1 of streamed.ExampleTask.", "Deleted 1 completed tasks."]


def test_what_is_watched_or_has_still_to_end_is_left() -> None:
    task(watched_until=datetime.now(UTC) + timedelta(seconds=50))
    task(status="RUNNING")
    task(watched_until=datetime.now(UTC) - timedelta(seconds=50))
    assert said()[-1] == "Deleted 1 completed tasks."
    assert left() == (2, 2, 2)


def again(made: Any, status: str = "FAILED", **run: Any) -> Any:
    """Start the row once more, its run so far having ended like this."""
    TaskRun.objects.filter(pk=made.run_id).update(status=status, finished_at=made.created_at, **run)
    made.refresh_from_db()
    coordinator.start_task(made)
    return made


def complete(made: Any) -> None:
    made.completed_at = timezone.now() - timedelta(hours=3)
    made.save()
    run = {"status": "SUCCESSFUL", "finished_at": made.completed_at}
    TaskRun.objects.filter(pk=made.run_id).update(**run)


def test_all_runs_of_a_row_go() -> None:
    other = again(task(hours=None))
    for pk in (901, 9011):
        made = again(again(task(hours=None, pk=pk), "CANCELLED"))
        complete(made)
    assert TaskRun.objects.count() == 8
    assert said()[-1] == "Deleted 2 completed tasks."
    assert {run.metadata["pk"] for run in TaskRun.objects.all()} == {str(other.pk)}
    assert left() == (1, 2, 2)


def test_a_row_stays_with_an_earlier_run_that_is_watched() -> None:
    made = task(hours=None)
    complete(again(made, watched_until=datetime.now(UTC) + timedelta(seconds=50)))
    assert said()[-1] == "Deleted 0 completed tasks."
    assert left() == (1, 1, 1)
    TaskRun.objects.update(watched_until=None)
    assert said()[-1] == "Deleted 1 completed tasks."
    assert left() == (0, 0, 0)


def test_a_run_by_retry_goes_too() -> None:
    made = task(hours=None)
    first = TaskRun.objects.get(pk=made.run_id)
    for _ in range(2):
        TaskRun.objects.update(status="FAILED", finished_at=made.created_at)
        first.refresh_from_db()
        retried = Handle.of_run(first).retry()
        assert _taken(retried.run_id, "streamed", "ExampleTask", made.pk).run_id == retried.run_id
        made.refresh_from_db()
        again(made)
    complete(made)
    assert left() == (1, 5, 5)
    assert said()[-1] == "Deleted 1 completed tasks."
    assert left() == (0, 0, 0)


def test_the_runs_of_an_older_row_with_its_key_are_not_its_own() -> None:
    old = task(hours=None)
    TaskRun.objects.update(status="FAILED", finished_at=old.created_at)
    pk = old.pk
    old.delete()
    new = ExampleTask._default_manager.create(pk=pk)
    coordinator.start_task(new)
    complete(new)
    assert said()[-1] == "Deleted 1 completed tasks."
    assert left() == (0, 1, 1)


def test_a_row_whose_run_is_deleted_already_goes() -> None:
    made = task()
    TaskRun.objects.filter(pk=made.run_id).delete()
    assert said()[-1] == "Deleted 1 completed tasks."
    assert left() == (0, 0, 0)


def test_in_batches_with_pauses_and_no_transaction_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cleanup, "_ROWS", 4)
    monkeypatch.setattr(cleanup, "_EVENTS", 2)
    for _ in range(10):
        task()
    rows: list[int] = []

    def pause(seconds: float) -> None:
        assert seconds > 0
        assert not connection.in_atomic_block
        rows.append(ExampleTask._default_manager.count())

    assert sum(count for _, count in clean_up(timezone.now(), pause)) == 10
    assert rows == [6, 2, 0]
    assert left() == (0, 0, 0)


@pytest.mark.parametrize("hours", ["-1", "nan", "inf"])
def test_hours_that_are_none(hours: str) -> None:
    with pytest.raises(CommandError):
        said(f"--hours={hours}")
