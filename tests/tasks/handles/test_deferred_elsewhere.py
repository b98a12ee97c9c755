"""Enqueueing with the commit of another database than the one that holds the runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections, transaction

from tasks.exceptions import (
    NotCommitted,
    RolledBack,
)
from tasks.handles.deferred import DeferredHandle
from tasks.models import TaskRun
from tests.app import tasks as app
from tests.tasks.handles.undoing import undone

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A second database of the project, without a table of ours."""
    file = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "other.sqlite3")}
    connections.settings["other"] = {**connections.settings["default"], **file, "OPTIONS": {}}
    # The suite lets tests connect to its own database alone.
    monkeypatch.setattr(connections["other"], "ensure_connection", lambda: None)
    connections["other"].connect()
    try:
        yield "other"
    finally:
        connections["other"].close()
        del connections["other"], connections.settings["other"]


def test_another_databases_commit(other: str) -> None:
    value = [1]
    with transaction.atomic(using=other):
        handle = app.echo.enqueue_on_commit(value, using=other)
        value.append(2)
        assert not TaskRun.objects.exists()
        with pytest.raises(NotCommitted):
            _ = handle.id
    assert TaskRun.objects.get(pk=handle.id).args == [[1]]


def test_another_databases_rollback(other: str) -> None:
    handle = undone(lambda: app.echo.enqueue_on_commit(1, using=other), using=other)
    with pytest.raises(RolledBack):
        _ = handle.id
    assert not TaskRun.objects.exists()


def test_another_databases_commit_within_one_of_ours(other: str) -> None:
    with transaction.atomic():
        with transaction.atomic(using=other):
            kept = app.echo.enqueue_on_commit(1, using=other)
        with pytest.raises(NotCommitted):
            _ = kept.id
    assert TaskRun.objects.get().pk == kept.run_id

    def inside() -> DeferredHandle:
        with transaction.atomic(using=other):
            return app.echo.enqueue_on_commit(2, using=other)

    lost = undone(inside)
    with pytest.raises(RolledBack):
        _ = lost.id


def test_a_run_that_cannot_be_stored_after_the_other_commit_is_said(
    other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr("tasks.engine.store.insert_runs", fail)
    with pytest.raises(RuntimeError, match="disk full"), transaction.atomic(using=other):
        handle = app.echo.enqueue_on_commit(1, using=other)
    with pytest.raises(RolledBack, match="disk full"):
        _ = handle.id
