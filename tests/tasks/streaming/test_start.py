"""Starting StreamTasks: a row has one run, whoever starts it, however often and from where."""

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction

from tasks.coordinator import coordinator
from tasks.models import TaskRun
from tasks.streaming.start import enqueue
from tasks.testing import running_supervisor
from tests.streamed.models import (
    ExampleTask,
    OddTask,
)

from ..streamtasks import finished, made, runs

pytestmark = pytest.mark.django_db(transaction=True)


async def test_started_twice_it_has_one_run() -> None:
    task = await made(ExampleTask)
    other = await ExampleTask._default_manager.aget(pk=task.pk)
    first, second = await asyncio.gather(
        coordinator.start_task(task), coordinator.start_task(other)
    )
    assert first is not None
    assert second is not None
    assert first.id == second.id
    assert await runs() == 1
    assert task.run_id == other.run_id == first.run_id


def test_started_by_many_threads_at_once_it_has_one_run() -> None:
    task = ExampleTask._default_manager.create()
    gate = threading.Barrier(8)
    found: list[str] = []

    def start() -> None:
        from django.db import connections

        mine = ExampleTask._default_manager.get(pk=task.pk)
        gate.wait()
        found.append(coordinator.start_task(mine).value.id)
        connections.close_all()

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert TaskRun.objects.count() == 1


async def test_what_is_completed_is_not_started_again() -> None:
    task = await made(ExampleTask)
    async with running_supervisor():
        handle = await finished(task)
        again = await coordinator.start_task(task)
    assert again is not None
    assert again.id == handle.id
    assert await runs() == 1


async def test_what_is_completed_is_not_started_again_when_its_run_is_gone() -> None:
    task = await made(ExampleTask)
    async with running_supervisor():
        await finished(task)
    await TaskRun.objects.all().adelete()
    assert await coordinator.start_task(task) is None
    assert await runs() == 0


async def test_what_failed_is_started_again_when_asked() -> None:
    task = await made(OddTask, kind="raises")
    async with running_supervisor():
        first = await finished(task)
        second = await finished(task)
    assert first.id != second.id
    assert task.run_id == second.run_id
    assert await runs() == 2
    assert task.completed_at is None


async def test_who_read_it_before_it_was_started_does_not_start_it_again() -> None:
    task = await made(OddTask, kind="raises")
    before = await OddTask._default_manager.aget(pk=task.pk)
    async with running_supervisor():
        first = await finished(task)
        late = await coordinator.start_task(before)
    assert late is not None
    assert late.id == first.id
    assert await runs() == 1


async def test_a_row_that_is_emptied_is_started_again() -> None:
    task = await made(ExampleTask)
    async with running_supervisor():
        await finished(task)
        await task.mark_incomplete()
        await finished(task)
    assert await runs() == 2
    assert task.completed_at is not None


async def test_a_failed_one_whose_run_is_deleted_is_started_again() -> None:
    task = await made(OddTask, kind="raises")
    async with running_supervisor():
        await finished(task)
        await TaskRun.objects.all().adelete()
        await finished(task)
    assert await runs() == 1


async def test_a_new_row_with_an_old_key_is_a_task_of_its_own() -> None:
    task = await made(ExampleTask, pk=77)
    await coordinator.start_task(task)
    await task.adelete()
    again = await made(ExampleTask, pk=77)
    await coordinator.start_task(again)
    assert again.run_id != task.run_id


def test_in_a_transaction_it_starts_with_the_commit() -> None:
    with transaction.atomic():
        task = ExampleTask._default_manager.create()
        coordinator.start_task(task)
        assert coordinator.is_task_running(task) is True
        with ThreadedLook() as look:
            assert look.count == 0
    with ThreadedLook() as look:
        assert look.count == 1


class ThreadedLook:
    """How many runs there are for a connection of its own."""

    count = -1

    def __enter__(self) -> "ThreadedLook":
        thread = threading.Thread(target=self._look)
        thread.start()
        thread.join()
        return self

    def __exit__(self, *_: object) -> None: ...

    def _look(self) -> None:
        from django.db import connection

        self.count = TaskRun.objects.count()
        connection.close()


def test_a_rollback_takes_the_start_back() -> None:
    task = ExampleTask._default_manager.create()

    def fail() -> None:
        with transaction.atomic():
            coordinator.start_task(task)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert TaskRun.objects.count() == 0
    task.refresh_from_db()
    assert task.run_id is None


async def test_two_who_have_read_the_row_agree_on_one_run() -> None:
    """Whoever comes second is not always kept waiting by the database, as on SQLite."""
    row = await made(ExampleTask)
    first, second = [await sync_to_async(enqueue)(row) for _ in range(2)]
    assert first.id == second.id
    row.run_id = first.run_id
    third = await sync_to_async(enqueue)(row)
    assert third.id != first.id
