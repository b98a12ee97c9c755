"""What becomes of a run, by the kind of function and the way it ends."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tasks.exceptions import RunCancelled, RunFinished, TaskFailed
from tasks.testing import running_supervisor
from tests.app import tasks as app
from tests.tasks.runs import kinds, log, row, started

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def supervisor() -> AsyncIterator[None]:
    async with running_supervisor():
        yield


async def test_async_function(supervisor: None) -> None:
    handle = await app.add.aenqueue(2, b=3)
    assert await handle.await_result(10) == 5
    assert handle.status == "SUCCESSFUL"
    assert await log(handle) == [(1, "queued"), (2, "started"), (3, "finished")]


async def test_sync_function(supervisor: None) -> None:
    handle = await app.add_in_thread.aenqueue(2, 3)
    assert await handle.await_result(10) == 5


async def test_events(supervisor: None) -> None:
    handle = await app.emit.aenqueue(3000)
    assert await handle.await_result(20) == 3000
    assert [seq for seq, _ in await log(handle)] == list(range(1, 3004))


async def test_events_from_a_thread(supervisor: None) -> None:
    handle = await app.emit_in_thread.aenqueue(5000)
    assert await handle.await_result(20) == 5000
    assert [seq for seq, _ in await log(handle)] == list(range(1, 5004))


@pytest.mark.parametrize("name", ["async_values", "sync_values"])
async def test_generators(supervisor: None, name: str) -> None:
    handle = await getattr(app, name).aenqueue(3)
    await handle.await_result(10)
    assert await kinds(handle) == ["queued", "started", "output", "output", "output", "finished"]


async def test_failure_is_kept_with_its_traceback(
    supervisor: None, caplog: pytest.LogCaptureFixture
) -> None:
    handle = await app.fail.aenqueue("broken pipe")
    with pytest.raises(TaskFailed, match="broken pipe"):
        await handle.await_result(10)
    assert handle.status == "FAILED"
    assert handle.errors[0].exception_class is RuntimeError
    assert "in fail" in handle.errors[0].traceback
    (record,) = [r for r in caplog.records if r.name == "headway.executor"]
    assert handle.id in record.getMessage()
    assert record.exc_info is not None


@pytest.mark.parametrize("name", ["exit_process", "cancel_itself"])
async def test_a_base_exception_reaches_no_sibling(supervisor: None, name: str) -> None:
    sibling = await app.sleep.aenqueue(0.2)
    handle = await getattr(app, name).aenqueue()
    with pytest.raises(TaskFailed):
        await handle.await_result(10)
    assert await sibling.await_result(10) == "slept"


@pytest.mark.parametrize("name", ["too_slow", "too_slow_in_thread"])
async def test_timeout(supervisor: None, name: str) -> None:
    handle = await getattr(app, name).aenqueue()
    with pytest.raises(TaskFailed, match="TaskTimeout"):
        await handle.await_result(10)
    assert handle.status == "FAILED"


async def test_retries(settings: Any) -> None:
    settings.HEADWAY = {"BACKOFF": 0.01, "POLL": 0.02}
    async with running_supervisor():
        handle = await app.fail_thrice.aenqueue()
        with pytest.raises(TaskFailed):
            await handle.await_result(10)
        assert len(handle.errors) == 3
        assert (await kinds(handle))[1:] == ["started", "retrying"] * 2 + ["started", "finished"]
        again = await app.fail_once.aenqueue()
        assert await again.await_result(10) == 2


async def test_unserialisable_result_names_the_type(supervisor: None) -> None:
    handle = await app.unserialisable.aenqueue()
    with pytest.raises(TaskFailed, match="type object"):
        await handle.await_result(10)


async def test_own_context_variables(supervisor: None) -> None:
    app.ambient.set("the test's")
    first = await app.see_ambient.aenqueue()
    assert await first.await_result(10) == "clean"
    second = await app.see_ambient.aenqueue()
    assert await second.await_result(10) == "clean"


async def test_stop_a_coroutine(supervisor: None) -> None:
    handle = await app.sleep.aenqueue(3600)
    await started(handle)
    assert await handle.astop()
    with pytest.raises(RunCancelled):
        await handle.await_result(10)
    assert (await kinds(handle))[-2:] == ["stopping", "finished"]
    with pytest.raises(RunFinished, match="nothing to stop"):
        await handle.astop()


async def test_stop_a_thread(supervisor: None) -> None:
    handle = await app.until_stopped.aenqueue()
    await started(handle)
    assert await handle.astop()
    with pytest.raises(RunCancelled):
        await handle.await_result(10)
    assert "noticed" in await kinds(handle)


async def test_stop_before_it_starts() -> None:
    handle = await app.add.aenqueue(1)
    assert await handle.astop()
    await handle.arefresh()
    assert handle.status == "CANCELLED"
    assert await kinds(handle) == ["queued", "finished"]


async def test_drain_gives_back() -> None:
    async with running_supervisor() as supervisor:
        handle = await app.sleep.aenqueue(3600)
        await started(handle)
        supervisor.drain()
        supervisor.drain()
    run = await row(handle)
    assert (run.status, run.attempt) == ("READY", 0)
    assert (await kinds(handle))[-1] == "retrying"


async def test_tracking(supervisor: None) -> None:
    for name in ("track", "track_in_thread"):
        handle = await getattr(app, name).aenqueue(50)
        assert await handle.await_result(10) == 50
        assert handle.progress["done"] == handle.progress["total"] == 50
