"""What is stored when a call is enqueued, and what is refused."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction

import tasks
from tasks.compat import TaskResultDoesNotExist, task_enqueued
from tasks.engine import store
from tasks.exceptions import InvalidArguments, InvalidValue, MalformedRunId, RunDoesNotExist
from tasks.ids import new_run_id
from tasks.models import TaskEvent, TaskRun
from tasks.surroundings import circumstances
from tests.app import tasks as app

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_run_and_its_first_event() -> None:
    handle = app.add.using(priority=5, queue_name="maths", metadata={"shop": 3}).enqueue(1, b=2)
    run = TaskRun.objects.get(pk=handle.id)
    assert (run.task, run.args, run.kwargs) == ("tests.app.tasks.add", [1], {"b": 2})
    assert (run.priority, run.queue_name, run.metadata) == (5, "maths", {"shop": 3})
    assert (run.status, run.attempt, run.fence, run.last_seq) == ("READY", 0, 0, 1)
    (event,) = TaskEvent.objects.filter(run=run)
    assert (event.seq, event.type) == (1, "queued")
    assert handle.status == "READY"
    assert handle.args == [1]


@pytest.mark.parametrize(
    ("args", "kwargs"), [((), {}), ((1, 2, 3), {}), ((1,), {"c": 2}), ((1,), {"a": 2})]
)
def test_a_wrong_call_is_refused_at_once(args: Any, kwargs: Any) -> None:
    with pytest.raises(InvalidArguments, match="add"):
        app.add.enqueue(*args, **kwargs)
    assert not TaskRun.objects.exists()


def test_the_context_is_no_argument_of_the_caller() -> None:
    app.emit.enqueue(1)
    with pytest.raises(InvalidArguments):
        app.emit.enqueue()  # type: ignore[call-arg]  # the checker sees it too


@pytest.mark.parametrize("value", [object, math.nan, b"x", {1: 2}], ids=repr)
def test_a_value_that_is_no_json_is_refused_at_once(value: Any) -> None:
    with pytest.raises(InvalidValue, match=r"echo\(\)"):
        app.echo.enqueue(value)
    assert not TaskRun.objects.exists()


def test_later_changes_of_the_arguments_change_nothing() -> None:
    value = {"list": [1]}
    handle = app.echo.enqueue(value)
    value["list"].append(2)
    assert TaskRun.objects.get(pk=handle.id).args == [{"list": [1]}]


def test_a_rollback_leaves_nothing() -> None:
    with transaction.atomic():
        app.add.enqueue(1)
        transaction.set_rollback(True)
    assert not TaskRun.objects.exists()
    assert not TaskEvent.objects.exists()


def test_many_are_all_or_none() -> None:
    with pytest.raises(InvalidArguments):
        app.add.enqueue_many([((1,), {}), ((), {})])
    assert not TaskRun.objects.exists()
    handles = app.add.enqueue_many([((n,), {}) for n in range(300)])
    stored = list(TaskRun.objects.order_by("id"))
    assert [run.args for run in stored] == [[n] for n in range(300)]
    assert [str(run.id) for run in stored] == [handle.id for handle in handles]


def test_one_run_a_key() -> None:
    first = app.add.using(unique_key="order-1").enqueue(1)
    second = app.add.using(unique_key="order-1").enqueue(2)
    assert first.id == second.id
    assert second.args == [1]
    assert TaskRun.objects.count() == TaskEvent.objects.count() == 1
    with pytest.raises(InvalidArguments, match="one run"):
        app.add.using(unique_key="order-2").enqueue_many([((1,), {}), ((2,), {})])
    assert TaskRun.objects.count() == 1


def test_by_name() -> None:
    assert tasks.enqueue("suite.named").task is app.named


def test_run_after() -> None:
    handle = app.add.using(run_after=timedelta(hours=1)).enqueue(1)
    run = TaskRun.objects.get(pk=handle.id)
    assert run.run_after is not None
    assert run.run_after - run.enqueued_at > timedelta(minutes=59)


def test_a_delay_counts_from_the_enqueue_by_the_clock_that_all_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    later = app.add.using(run_after=timedelta(hours=1))
    now = datetime(2040, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(store, "clock", lambda: now)
    run = TaskRun.objects.get(pk=later.enqueue(1).id)
    assert run.run_after == now + timedelta(hours=1)
    moment = TaskRun.objects.get(pk=later.using(run_after=now).enqueue(1).id)
    assert moment.run_after == now


def test_whose_it_is() -> None:
    user = get_user_model().objects.create(username="ada")
    assert TaskRun.objects.get(pk=app.add.using(user=user).enqueue(1).id).user == user
    token = circumstances.current_user.set(lambda: user)
    try:
        assert TaskRun.objects.get(pk=app.add.enqueue(1).id).user == user
    finally:
        circumstances.current_user.reset(token)
    assert TaskRun.objects.get(pk=app.add.enqueue(1).id).user is None


def test_handles_by_id() -> None:
    handle = app.add.enqueue(1)
    assert tasks.get_handle(handle.id).args == [1]
    assert app.add.get_result(handle.id).id == handle.id
    with pytest.raises(RunDoesNotExist):
        tasks.get_handle(new_run_id())
    with pytest.raises(MalformedRunId):
        tasks.get_handle("nonsense")
    with pytest.raises(TaskResultDoesNotExist):
        app.add.get_result("nonsense")


def test_the_frameworks_signal() -> None:
    seen: list[str] = []

    def receiver(*, task_result: Any, **_: Any) -> None:
        seen.append(task_result.id)

    task_enqueued.connect(receiver)
    try:
        handle = app.add.enqueue(1)
    finally:
        task_enqueued.disconnect(receiver)
    assert seen == [handle.id]


def test_a_local_wait_that_is_too_short() -> None:
    handle = app.add.enqueue(1)
    with pytest.raises(TimeoutError):
        handle.wait(timeout=0.05)
    assert handle.status == "READY"
