"""What can be asked of a run, and of its end."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async

import tasks
from tasks.engine import store
from tasks.engine.news import waiting
from tasks.exceptions import (
    MalformedRunId,
    RunDoesNotExist,
    RunFinished,
    RunNotFinished,
    TaskFailed,
    UnknownTask,
)
from tasks.handles.result import RunResult
from tasks.ids import new_run_id
from tasks.models import TaskEvent, TaskRun
from tasks.testing import running_supervisor
from tests.app import tasks as app
from tests.tasks.runs import kinds, row, started

pytestmark = pytest.mark.django_db(transaction=True)

ODD = ["123", "007", 2**60, 1.0, "", None, [], {"": [True, 0]}, "\x00\u2028 ü 🐘"]


@pytest.fixture
async def supervisor() -> AsyncIterator[None]:
    async with running_supervisor():
        yield


async def test_a_result_can_be_read_any_number_of_times(supervisor: None) -> None:
    handle = await app.echo.aenqueue(ODD)
    result = await handle.aresult(20)
    assert isinstance(result, RunResult)
    assert (result.status, result.value, result.error) == ("SUCCESSFUL", ODD, None)
    assert [type(item) for item in result.value] == [type(item) for item in ODD]
    assert result.started_at is not None
    assert result.enqueued_at <= result.started_at <= result.finished_at
    assert await handle.aresult(20) == result
    again = await tasks.aget(handle.id)
    assert await again.aresult() == await again.aresult(0) == result
    assert again.return_value == ODD
    assert await sync_to_async(again.result)() == result
    with pytest.raises(AttributeError):
        result.value = 1  # type: ignore[misc]  # the checker sees it too


async def test_a_result_of_what_failed(supervisor: None) -> None:
    result = await (await app.fail.aenqueue("broken pipe")).aresult(20)
    assert (result.status, result.value) == ("FAILED", None)
    assert result.error is not None
    assert (result.error.type, result.error.message) == ("builtins.RuntimeError", "broken pipe")
    assert "in fail" in result.error.traceback


async def test_a_result_after_a_failed_attempt_has_no_error(supervisor: None) -> None:
    handle = await app.fail_once.aenqueue()
    assert (await handle.aresult(30)).error is None
    assert handle.error is not None
    assert len(handle.errors) == 1


async def test_the_tasks_own_timeout_is_a_failure_and_a_local_one_is_not(supervisor: None) -> None:
    handle = await app.too_slow.aenqueue()
    result = await handle.aresult(20)
    assert result.status == "FAILED"
    assert result.error is not None
    assert result.error.type == "tasks.exceptions.TaskTimeout"
    endless = await app.sleep.aenqueue(3600)
    for ask in (endless.aresult, endless.await_result):
        with pytest.raises(TimeoutError, match=r"within 0\.05 seconds; it goes on"):
            await ask(0.05)
    await endless.arefresh()
    assert not endless.is_finished
    await endless.akill()
    assert (await endless.aresult(20)).status == "CANCELLED"


def test_in_sync_code() -> None:
    with running_supervisor():
        handle = app.add_in_thread.enqueue(2, 3)
        assert handle.name == "add_in_thread"
        assert handle.wait(20) == 5
        assert handle.result().value == 5
        assert [event.type for event in handle.events(follow=True)] == [
            "queued",
            "started",
            "finished",
        ]
        failing = app.fail.enqueue()
        with pytest.raises(TaskFailed, match="broken"):
            failing.wait(20)


async def test_stop_and_kill_are_refused_once_it_has_finished(supervisor: None) -> None:
    handle = await app.add.aenqueue(1)
    await handle.aresult(20)
    for end in (handle.astop, handle.akill):
        with pytest.raises(RunFinished, match=f"{handle.id} has finished: there is nothing to"):
            await end()
    assert await kinds(handle) == ["queued", "started", "finished"]


async def test_kill_ends_what_does_not_listen(supervisor: None) -> None:
    handle = await app.stubborn.aenqueue(1.5)
    await started(handle)
    assert await handle.akill()
    assert (await handle.aresult(20)).status == "CANCELLED"


async def test_retry_is_the_same_call_as_a_new_run(supervisor: None) -> None:
    options: Any = {"priority": 4, "queue_name": "again", "timeout": 9, "metadata": {"n": 1}}
    handle = await app.fail.using(**options).aenqueue(message="twice")
    running = await app.sleep.aenqueue(3600)
    with pytest.raises(RunNotFinished, match="stop it, or wait"):
        await running.aretry()
    await running.akill()
    await handle.aresult(20)
    again = await handle.aretry()
    assert again.id != handle.id
    run = await row(again)
    assert (run.task, run.args, run.kwargs) == (app.fail.module_path, [], {"message": "twice"})
    assert {name: getattr(run, name) for name in options} == options
    assert (await handle.aresult()).status == "FAILED"


async def test_by_id_and_by_name() -> None:
    handle = await tasks.aenqueue("tests.app.tasks.add", 1, b=2)
    found = await tasks.aget(handle.id)
    assert (found.id, found.name, found.kwargs) == (handle.id, "add", {"b": 2})
    assert (await tasks.aget(handle.run_id)).id == handle.id
    assert tasks.get is tasks.get_handle
    with pytest.raises(RunDoesNotExist, match="There is no run"):
        await tasks.aget(new_run_id())
    for wrong in ("nonsense", "", "../../etc", None, 7):
        with pytest.raises(MalformedRunId) as refused:
            await tasks.aget(wrong)  # type: ignore[arg-type]
        assert isinstance(refused.value, RunDoesNotExist)
    with pytest.raises(UnknownTask):
        await tasks.aenqueue("tests.app.tasks.missing")


async def test_events_there_are() -> None:
    handle = await app.add.aenqueue(1)
    found = [event async for event in handle.aevents()]
    assert [(event.seq, event.type) for event in found] == [(1, "queued")]
    assert found[0].data["task"] == "tests.app.tasks.add"
    assert found[0].at.tzinfo is not None
    assert [event async for event in handle.aevents(after=1)] == []
    for wrong in (-1, "1", 1.0, True):
        with pytest.raises(ValueError, match="after is the seq"):
            handle.events(after=wrong)  # type: ignore[arg-type]


async def test_more_events_than_a_page(supervisor: None) -> None:
    handle = await app.emit.aenqueue(250)
    seqs = [event.seq async for event in handle.aevents(follow=True)]
    assert seqs == list(range(1, 254))
    assert [event.seq async for event in handle.aevents(after=100)] == seqs[100:]
    assert [event.seq async for event in handle.aevents(after=250, follow=True)] == [251, 252, 253]
    assert [event async for event in handle.aevents(after=253, follow=True)] == []


async def test_following_from_before_the_start_to_the_end(supervisor: None) -> None:
    handle = await app.emit.using(priority=1).aenqueue(20, pause=0.005)
    async with asyncio.timeout(30):
        found = [event async for event in handle.aevents(follow=True)]
    assert [event.seq for event in found] == list(range(1, 24))
    assert [event.data["n"] for event in found if event.type == "tick"] == list(range(20))
    assert found[-1].type == "finished"


async def test_following_heals_what_nobody_told(
    supervisor: None, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """As if another process executed the run, and no layer spoke of it."""
    settings.HEADWAY = {"POLL": 0.05}
    monkeypatch.setattr(waiting, "notify", lambda *_: None)
    monkeypatch.setattr(waiting, "stir", lambda *_: None)
    handle = await app.emit.aenqueue(5, pause=0.02)
    async with asyncio.timeout(30):
        assert [event.seq async for event in handle.aevents(follow=True)] == list(range(1, 9))
        assert (await (await app.add.aenqueue(1)).aresult()).value == 1


async def test_following_ends_when_the_run_is_gone(settings: Any) -> None:
    settings.HEADWAY = {"POLL": 0.05}
    handle = await app.add.aenqueue(1)
    events = handle.aevents(follow=True)
    assert (await anext(events)).type == "queued"
    await TaskEvent.objects.filter(run=handle.run_id).adelete()
    await TaskRun.objects.filter(pk=handle.run_id).adelete()
    async with asyncio.timeout(30):
        with pytest.raises(RunDoesNotExist):
            await anext(events)
    with pytest.raises(RunDoesNotExist):
        [event async for event in handle.aevents()]
    with pytest.raises(RunDoesNotExist):
        await handle.aresult(20)


async def test_many_waiters_are_one_loop_and_one_query(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.HEADWAY = {"POLL": 0.05}
    asked: list[int] = []
    threads: set[str] = set()
    heads = store.heads

    def counted(run_ids: Any) -> Any:
        asked.append(len(run_ids))
        threads.add(threading.current_thread().name)
        return heads(run_ids)

    handles = await app.add.aenqueue_many([((n,), {}) for n in range(100)])
    monkeypatch.setattr(store, "heads", counted)
    waiters = [asyncio.create_task(handle.aresult()) for handle in handles]
    async with asyncio.timeout(60):
        while max(asked, default=0) < 100:  # noqa: ASYNC110 - it is a thread's event
            await asyncio.sleep(0.01)  # the pause between two looks
        async with running_supervisor():
            results = await asyncio.gather(*waiters)
    assert [result.value for result in results] == list(range(100))
    assert threads == {"headway-lookout-reader"}
