"""Enqueueing with a commit: what a handle says before it, after it, and after a rollback."""

import pickle
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction

from tasks.compat import task_enqueued
from tasks.exceptions import (
    HeadwayError,
    InvalidArguments,
    InvalidOption,
    InvalidValue,
    NotCommitted,
    RolledBack,
)
from tasks.handles.deferred import DeferredHandle
from tasks.models import TaskRun
from tasks.testing import running_supervisor
from tests.app import tasks as app
from tests.tasks.handles.undoing import undone

pytestmark = pytest.mark.django_db(transaction=True)


def test_bound_by_the_commit() -> None:
    with transaction.atomic():
        handle = app.add.enqueue_on_commit(1, b=2)
        assert handle.name == "add"
        for ask in ("id", "status", "wait", "stop", "events"):
            with pytest.raises(NotCommitted, match="add is there once the transaction"):
                getattr(handle, ask)
        assert "NotCommitted" in repr(handle)
    run = TaskRun.objects.get(pk=handle.id)
    assert (run.args, run.kwargs, run.status) == ([1], {"b": 2}, "READY")
    assert handle.run_id == run.id
    assert handle.stop()
    handle.refresh()
    assert handle.status == "CANCELLED"
    assert handle.id in repr(handle)


def test_the_run_is_in_the_transaction_itself() -> None:
    """Whoever dies right after the commit has lost nothing: no hook had to run."""
    with transaction.atomic():
        app.add.enqueue_on_commit(1)
        assert TaskRun.objects.count() == 1


def test_without_a_transaction_it_is_there_at_once() -> None:
    handle = app.add.enqueue_on_commit(1)
    assert TaskRun.objects.get().pk == handle.run_id


def test_a_rollback_never_binds() -> None:
    handle = undone(lambda: app.add.enqueue_on_commit(1))
    assert handle.name == "add"
    for ask in ("id", "wait", "retry"):
        with pytest.raises(RolledBack, match="add was enqueued was rolled back"):
            getattr(handle, ask)
    assert not TaskRun.objects.exists()


def test_nor_does_that_of_a_savepoint() -> None:
    with transaction.atomic():
        lost = undone(lambda: app.add.enqueue_on_commit(1))
        kept = app.add.enqueue_on_commit(2)
        with pytest.raises(RolledBack):
            _ = lost.id
        with pytest.raises(NotCommitted):
            _ = kept.id
    assert [run.pk for run in TaskRun.objects.all()] == [kept.run_id]
    with pytest.raises(RolledBack):
        _ = lost.id


def test_after_a_hook_that_failed_the_run_is_there_and_the_handle_says_what_it_knows() -> None:
    def fail() -> None:
        raise LookupError("a hook")

    try:
        with transaction.atomic():
            transaction.on_commit(fail)
            handle = app.add.enqueue_on_commit(1)
    except LookupError:
        pass
    with pytest.raises(RolledBack, match="or an on_commit"):
        _ = handle.id
    assert TaskRun.objects.count() == 1


def test_errors_are_of_one_family() -> None:
    assert issubclass(NotCommitted, HeadwayError)
    assert issubclass(RolledBack, HeadwayError)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: app.add.enqueue_on_commit(), InvalidArguments),  # type: ignore[call-overload]
        (lambda: app.echo.enqueue_on_commit(object()), InvalidValue),
        (lambda: app.add.enqueue_on_commit(1, wait=True), InvalidArguments),  # type: ignore[call-overload]
        (lambda: app.add.using(priorty=1), InvalidOption),  # type: ignore[call-arg]
        (lambda: app.choose.enqueue_on_commit("a", using="b"), InvalidArguments),
    ],
    ids=["arity", "value", "wait", "option", "using"],
)
def test_what_is_wrong_fails_at_the_call_and_before_the_commit(call: Any, error: Any) -> None:
    with transaction.atomic():
        with pytest.raises(error):
            call()
        assert not connection.run_on_commit
    assert not TaskRun.objects.exists()


def test_an_unknown_database_fails_at_the_call() -> None:
    with pytest.raises(Exception, match="nowhere"):
        app.add.enqueue_on_commit(1, using="nowhere")
    assert not TaskRun.objects.exists()


def test_later_changes_of_the_arguments_change_nothing() -> None:
    value, metadata = {"list": [1]}, {"a": 1}
    with transaction.atomic():
        handle = app.echo.using(metadata=metadata).enqueue_on_commit(value)
        value["list"].append(2)
        metadata["a"] = 2
    run = TaskRun.objects.get(pk=handle.id)
    assert (run.args, run.metadata) == ([{"list": [1]}], {"a": 1})


def test_the_frameworks_signal_is_sent_after_the_commit() -> None:
    seen: list[str] = []

    def receiver(*, task_result: Any, **_: Any) -> None:
        seen.append(task_result.id)

    task_enqueued.connect(receiver)
    try:
        with transaction.atomic():
            handle = app.add.enqueue_on_commit(1)
            assert seen == []
        assert seen == [handle.id]
    finally:
        task_enqueued.disconnect(receiver)


def test_one_run_a_key() -> None:
    first = app.add.using(unique_key="order-1").enqueue(1)
    with transaction.atomic():
        second = app.add.using(unique_key="order-1").enqueue_on_commit(2)
    assert second.id == first.id
    assert TaskRun.objects.count() == 1


def test_it_is_no_value_to_be_kept() -> None:
    with pytest.raises((AttributeError, pickle.PicklingError, TypeError)):
        pickle.dumps(app.add.enqueue_on_commit(1))


async def test_in_async_code() -> None:
    handle = await app.add.aenqueue_on_commit(1)
    assert isinstance(handle, DeferredHandle)
    async with running_supervisor():
        assert (await handle.aresult(20)).value == 1


def test_in_async_code_under_a_transaction() -> None:
    """The transaction is that of the sync code which called."""

    async def inside() -> DeferredHandle:
        value = [1]
        handle = await app.echo.aenqueue_on_commit(value)
        value.append(2)
        with pytest.raises(NotCommitted):
            _ = handle.id
        return handle

    with transaction.atomic():
        handle = async_to_sync(inside)()
    assert TaskRun.objects.get(pk=handle.id).args == [[1]]
