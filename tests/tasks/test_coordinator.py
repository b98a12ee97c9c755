"""Starting, finding and stopping StreamTasks: one run, from wherever it is asked for."""

import asyncio

import pytest

from tasks.coordinator import coordinator
from tasks.models import TaskRun
from tasks.testing import running_supervisor
from tests.streamed.models import (
    ContinueTask,
    ExampleTask,
    OddTask,
)
from tests.streamed.twin.models import TwinTask

from .streamtasks import finished, made

pytestmark = pytest.mark.django_db(transaction=True)


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
