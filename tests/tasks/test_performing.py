"""What becomes of a StreamTask that is executed: events, completion, failure, a stop."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from tasks.coordinator import coordinator
from tasks.engine import store
from tasks.exceptions import NotInRun
from tasks.models import StreamTask
from tasks.testing import running_supervisor
from tests.chaos.service.marks import leave
from tests.streamed.models import (
    AsyncGeneratorTask,
    CountingTask,
    ExampleTask,
    OddTask,
    SyncGeneratorTask,
)

from .streamtasks import events, finished, made

pytestmark = pytest.mark.django_db(transaction=True)


async def test_the_example_runs_and_is_completed_with_what_it_returns() -> None:
    task = await made(ExampleTask, message="Hello")
    async with running_supervisor():
        handle = await finished(task)
    assert [kind for kind, _ in await events(task)] == [
        *("queued", "started", "start"),
        *["progress"] * 3,
        *("complete", "finished"),
    ]
    assert task.final_value == {"message": "Hello", "completed": True} == handle.return_value
    assert task.completed_at is not None
    assert task.run_id == handle.run_id


@pytest.mark.parametrize(
    ("model", "fields", "last"),
    [
        (AsyncGeneratorTask, {"count": 5}, {"step": 5, "total": 5}),
        (AsyncGeneratorTask, {"count": 0}, None),
        (SyncGeneratorTask, {"items": ["a", "b"]}, {"index": 1, "item": "b", "known": True}),
        (SyncGeneratorTask, {"items": []}, None),
    ],
)
async def test_generators_send_each_value_and_give_the_last(
    model: type[StreamTask], fields: dict[str, Any], last: object
) -> None:
    task = await made(model, **fields)
    async with running_supervisor():
        await finished(task)
    sent = [data for kind, data in await events(task) if kind == "progress"]
    assert len(sent) == fields.get("count", len(fields.get("items", [])))
    assert task.final_value == last


async def test_a_sync_generator_that_blocks_keeps_nobody_waiting(tmp_path: Path) -> None:
    gate = str(tmp_path / "gate")
    blocking = await made(SyncGeneratorTask, items=[1], gate=gate)
    async with running_supervisor():
        handle = await coordinator.start_task(blocking)
        assert handle is not None
        while handle.last_seq < 3:
            await handle.arefresh()
        # While its generator blocks, this loop goes round, and another run comes and goes.
        await finished(await made(AsyncGeneratorTask, count=1))
        await handle.arefresh()
        assert not handle.is_finished
        leave(gate, "open")
        await handle.await_result(20)


async def test_a_stop_ends_it_and_leaves_it_incomplete() -> None:
    task = await made(OddTask, kind="sleeps")
    assert not await coordinator.stop_task(task)
    async with running_supervisor():
        handle = await coordinator.start_task(task)
        assert handle is not None
        while handle.last_seq < 3:
            await handle.arefresh()
        assert await coordinator.stop_task(task)
        with pytest.raises(Exception, match="cancelled"):
            await handle.await_result(20)
    assert not await coordinator.stop_task(task)
    assert not await coordinator.is_task_running(task)
    await task.arefresh_from_db()
    assert task.completed_at is None


async def test_a_stop_at_the_moment_of_the_completion_takes_it_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    completed = ExampleTask.mark_completed

    async def stopped_meanwhile(self: ExampleTask, final_value: Any = None) -> None:
        await completed(self, final_value)
        await coordinator.stop_task(self)
        await asyncio.sleep(0)  # the loop is told

    monkeypatch.setattr(ExampleTask, "mark_completed", stopped_meanwhile)
    task = await made(ExampleTask)
    async with running_supervisor():
        handle = await finished(task)
    assert handle.status == "CANCELLED"
    assert task.completed_at is None
    assert task.final_value is None


async def test_what_json_cannot_hold_is_named_and_nothing_is_completed() -> None:
    task = await made(OddTask, kind="unserialisable")
    async with running_supervisor():
        handle = await finished(task)
    run = await sync_to_async(store.fetch_run)(handle.run_id)
    assert (handle.status, task.completed_at) == ("FAILED", None)
    assert run.error is not None
    assert "type object cannot be carried as JSON" in run.error["message"]


async def test_a_failure_keeps_its_traceback() -> None:
    task = await made(OddTask, kind="raises")
    async with running_supervisor():
        handle = await finished(task)
    assert handle.status == "FAILED"
    assert "in process" in handle.errors[0].traceback
    assert "Traceback" not in (await events(task))[-1][1]


async def test_options_are_the_runs() -> None:
    task = await made(CountingTask, attempts=4)
    handle = await coordinator.start_task(task)
    assert handle is not None
    run = await sync_to_async(store.fetch_run)(handle.run_id)
    assert run.max_attempts == 4
    assert run.metadata == {"stream_task": "streamed.CountingTask", "pk": str(task.pk)}


async def test_outside_of_a_run_nothing_can_be_sent() -> None:
    with pytest.raises(NotInRun, match="not being executed"):
        await ExampleTask().send_event("start", {})
