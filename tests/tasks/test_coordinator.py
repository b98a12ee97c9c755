"""Starting, finding and stopping StreamTasks: one run, from wherever it is asked for."""

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
    ContinueTask,
    ExampleTask,
    OddTask,
)
from tests.streamed.twin.models import TwinTask

from .streamtasks import finished, made, runs

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


def test_as_the_old_package_is_called_in_a_shell() -> None:
    task = ExampleTask._default_manager.create()
    asyncio.run(coordinator.start_task(task, "ExampleTask"))
    assert TaskRun.objects.count() == 1
    assert coordinator.is_task_running("ExampleTask", task.pk) is True
    assert coordinator.get_task_instance("ExampleTask", task.pk) == task


async def test_as_the_old_package_is_called_in_async_code() -> None:
    task = await made(ExampleTask)
    running = coordinator.is_task_running
    assert not running("streamed", "ExampleTask", task.pk)
    await coordinator.start_task(task, "streamed", "ExampleTask")
    assert running("streamed", "ExampleTask", task.pk)
    assert await running(app_name="streamed", model_name="ExampleTask", task_id=task.pk) is True
    assert await coordinator.get_task_instance("streamed", "ExampleTask", task.pk) == task
    assert await coordinator.get_task_instance("streamed", "ExampleTask", -1) is None


async def test_names_of_another_model_are_refused() -> None:
    task = await made(ExampleTask)
    with pytest.raises(ValueError, match="another model"):
        await coordinator.start_task(task, "streamed", "OddTask")
    with pytest.raises(ValueError, match="Save"):
        await coordinator.start_task(ExampleTask(pk=5))
    with pytest.raises(LookupError, match="name the app"):
        await coordinator.get_task_instance("TwinTask", 1)
    with pytest.raises(LookupError, match="no StreamTask"):
        await coordinator.get_task_instance("Nothing", 1)
    with pytest.raises(ValueError, match="is no key"):
        await coordinator.get_task_instance("ExampleTask", "one")
    with pytest.raises(TypeError):
        await coordinator.get_task_instance(1)
    assert await coordinator.get_task_instance(TwinTask, 1) is None


async def test_while_it_runs_here_its_instance_is_the_running_one() -> None:
    task = await made(ContinueTask)
    async with running_supervisor():
        handle = await coordinator.start_task(task)
        assert handle is not None
        while handle.last_seq < 3:
            await handle.arefresh()
        running = await coordinator.get_task_instance(task)
        assert running is await coordinator.get_task_instance(ContinueTask, str(task.pk))
        assert running is not task
        await ContinueTask._default_manager.filter(pk=task.pk).aupdate(continue_field=True)
        assert await handle.await_result(20) == "continued"
        assert await coordinator.get_task_instance(task) is not running
    assert not await coordinator.is_task_running(task)


async def test_a_retry_by_hand_takes_the_place_of_what_has_ended() -> None:
    task = await made(OddTask, kind="raises")
    async with running_supervisor():
        first = await finished(task)
        second = await first.aretry()
        with pytest.raises(Exception, match="It broke"):
            await second.await_result(20)
    await task.arefresh_from_db()
    assert task.run_id == second.run_id


async def test_a_second_run_beside_one_under_way_is_refused() -> None:
    from tasks.stream_run import run_stream_task

    task = await made(OddTask, kind="sleeps")
    async with running_supervisor():
        handle = await coordinator.start_task(task)
        assert handle is not None
        intruder = await run_stream_task.aenqueue("streamed", "OddTask", task.pk)
        with pytest.raises(Exception, match="executed by another run already"):
            await intruder.await_result(20)
        await handle.akill()


async def test_two_who_have_read_the_row_agree_on_one_run() -> None:
    """Whoever comes second is not always kept waiting by the database, as on SQLite."""
    row = await made(ExampleTask)
    first, second = [await sync_to_async(enqueue)(row) for _ in range(2)]
    assert first.id == second.id
    row.run_id = first.run_id
    third = await sync_to_async(enqueue)(row)
    assert third.id != first.id
