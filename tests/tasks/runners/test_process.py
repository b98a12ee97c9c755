"""Runs in processes of their own: what comes back, what ends them, what they may use."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from tasks import get_handle
from tasks.engine.supervisor import Supervisor
from tasks.exceptions import RunCancelled, RunFinished
from tasks.runners.apart import spawn
from tasks.testing import running_supervisor
from tests.app import apart
from tests.tasks.runs import kinds, log, row
from tests.tasks.watching import PATIENCE, alive, data, emitted, failed, gone, parent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    async with running_supervisor() as running:
        yield running


async def test_it_is_another_process(supervisor: Supervisor) -> None:
    handle = await apart.pid.aenqueue()
    other = await apart.pid.aenqueue()
    pid, parent = await handle.await_result(PATIENCE)
    others = await other.await_result(PATIENCE)
    assert len({os.getpid(), pid, parent, others[0]}) == 4
    assert parent == others[1]
    await gone(pid)
    assert await log(handle) == [(1, "queued"), (2, "started"), (3, "finished")]


async def test_async_function(supervisor: Supervisor) -> None:
    assert await (await apart.add.aenqueue(2, b=3)).await_result(PATIENCE) == 5


async def test_values_are_carried_unchanged(supervisor: Supervisor) -> None:
    for value in ("123", 2**60, 1.5, None, {"ü": [1, "\u2028\x00"]}):
        assert await (await apart.echo.aenqueue(value)).await_result(PATIENCE) == value


async def test_a_large_value(supervisor: Supervisor) -> None:
    value = "0123456789" * (2 * 2**20)
    assert await (await apart.echo.aenqueue(value)).await_result(PATIENCE) == value


async def test_a_value_that_cannot_be_carried(supervisor: Supervisor) -> None:
    for kind, named in {"datetime": "datetime", "bytes": "bytes", "nan": "no JSON"}.items():
        assert named in await failed(await apart.unstorable.aenqueue(kind))


async def test_events(supervisor: Supervisor) -> None:
    handle = await apart.tell.aenqueue(3000)
    await handle.await_result(PATIENCE)
    assert await data(handle, "told") == list(range(3000))
    # The line of the log is written to stderr as well, whose order is its own.
    others = [kind for kind in await kinds(handle) if kind not in ("told", "output")]
    assert others[2:] == ["progress", "append", "log", "finished"]
    [written] = await data(handle, "output")
    assert "logged" in written["text"]
    assert (await row(handle)).progress["done"] == 3000


async def test_flush_and_watchers(supervisor: Supervisor) -> None:
    assert await (await apart.tell_and_flush.aenqueue()).await_result(PATIENCE) == 0


@pytest.mark.parametrize("name", ["values", "async_values"])
async def test_generators(supervisor: Supervisor, name: str) -> None:
    handle = await getattr(apart, name).aenqueue()
    await handle.await_result(PATIENCE)
    assert await data(handle, "output") == [1, 2]


async def test_what_it_writes(supervisor: Supervisor) -> None:
    handle = await apart.write.aenqueue(50)
    await handle.await_result(PATIENCE)
    lines = [item["text"] for item in await data(handle, "output") if item["stream"] == "stdout"]
    assert lines == [f"line {number}" for number in range(50)] + ["no end"]
    assert {"stream": "stderr", "text": "error"} in await data(handle, "output")


async def test_what_it_writes_goes_elsewhere(
    supervisor: Supervisor, capfd: pytest.CaptureFixture[str]
) -> None:
    handle = await apart.write.using(stream_output=False).aenqueue(1)
    await handle.await_result(PATIENCE)
    assert await data(handle, "output") == []
    assert "line 0\nno end" in capfd.readouterr().out


async def test_an_error_comes_back(supervisor: Supervisor) -> None:
    handle = await apart.fail.aenqueue()
    assert "what is wrong" in await failed(handle)
    assert handle.errors[0].exception_class is ValueError
    assert "in fail" in handle.errors[0].traceback
    assert (await data(handle, "finished"))[0]["error"]["message"] == "what is wrong"


async def test_a_signal_is_named(supervisor: Supervisor) -> None:
    assert "SIGSEGV" in await failed(await apart.die.aenqueue(int(signal.SIGSEGV)))


async def test_an_exit_is_no_success(supervisor: Supervisor) -> None:
    assert "exit code 0" in await failed(await apart.exit_with.aenqueue(0))


async def test_memory_is_limited(supervisor: Supervisor) -> None:
    task = apart.allocate.using(memory_mb=64)
    small, large = await task.aenqueue(20), await task.aenqueue(100)
    assert "memory_mb=64" in await failed(large)
    assert await small.await_result(PATIENCE) == 20 * 2**20


async def test_processor_time_is_limited(supervisor: Supervisor) -> None:
    assert "cpu_seconds=1" in await failed(await apart.burn.using(cpu_seconds=1).aenqueue())


async def test_files_are_limited(supervisor: Supervisor) -> None:
    task = apart.open_files.using(max_fds=32)
    assert "Too many open files" in await failed(await task.aenqueue(40))
    assert await (await task.aenqueue(5)).await_result(PATIENCE) == 5


async def test_surroundings(supervisor: Supervisor, tmp_path: Path) -> None:
    task = apart.surroundings.using(env={"NAMED": "ü"}, working_dir=str(tmp_path))
    assert await (await task.aenqueue()).await_result(PATIENCE) == [str(tmp_path), "ü"]
    assert "NAMED" not in os.environ
    missing = apart.surroundings.using(working_dir=str(tmp_path / "missing"))
    assert "cannot be entered" in await failed(await missing.aenqueue())


@pytest.mark.parametrize("name", ["until_asked", "until_cancelled"])
async def test_a_stop_is_asked_for(supervisor: Supervisor, name: str) -> None:
    handle = await getattr(apart, name).aenqueue()
    await emitted(handle, "going")
    assert await handle.astop()
    with pytest.raises(RunCancelled):
        await handle.await_result(PATIENCE)
    assert (await kinds(handle))[-3:] == ["stopping", "asked", "finished"]
    with pytest.raises(RunFinished):
        await handle.astop()


async def test_a_stop_that_is_ignored_is_carried_out(settings: Any, tmp_path: Path) -> None:
    settings.HEADWAY = {"GRACE": 0.3}
    async with running_supervisor():
        handle = await apart.family.aenqueue(str(tmp_path))
        pids = await emitted(handle, "family")
        assert await handle.astop()
        with pytest.raises(RunCancelled):
            await handle.await_result(PATIENCE)
        await gone(*pids)
    assert (await kinds(handle))[-2:] == ["stopping", "finished"]


async def test_a_kill_ends_descendants(supervisor: Supervisor, tmp_path: Path) -> None:
    handle = await apart.family.aenqueue(str(tmp_path))
    pids = await emitted(handle, "family")
    assert all(map(alive, pids))
    assert await handle.akill()
    with pytest.raises(RunCancelled):
        await handle.await_result(PATIENCE)
    await gone(*pids)
    assert (await kinds(handle)).count("finished") == 1


async def test_what_is_left_behind_is_ended(supervisor: Supervisor) -> None:
    await gone(await (await apart.leave_behind.aenqueue()).await_result(PATIENCE))


async def test_a_timeout_ends_it(supervisor: Supervisor) -> None:
    assert "TaskTimeout" in await failed(await apart.too_slow.aenqueue())


async def test_the_start_takes_none_of_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = f"import time; time.sleep(2)\n{spawn._PROGRAM}"  # longer than it may
    monkeypatch.setattr(spawn, "_PROGRAM", slow)
    async with running_supervisor():
        handle = await apart.add.using(timeout=1.5).aenqueue(1, 2)
        assert await handle.await_result(PATIENCE) == 3


async def test_a_burst(supervisor: Supervisor) -> None:
    handles = await apart.add.aenqueue_many([((number, 1), {}) for number in range(40)])
    values = [await handle.await_result(PATIENCE) for handle in handles]
    assert values == list(range(1, 41))


async def test_it_may_enqueue(supervisor: Supervisor) -> None:
    run_id = await (await apart.enqueue_another.aenqueue()).await_result(PATIENCE)
    other = await sync_to_async(get_handle)(run_id)
    assert await other.await_result(PATIENCE) == 5


@pytest.mark.parametrize("generations", [0, 1], ids=["itself", "its guardian"])
async def test_a_lost_fork_server_is_replaced(
    supervisor: Supervisor, tmp_path: Path, generations: int
) -> None:
    handle = await apart.family.aenqueue(str(tmp_path))
    pids = await emitted(handle, "family")
    _, victim = await (await apart.pid.aenqueue()).await_result(PATIENCE)
    for _ in range(generations):
        victim = parent(victim)
    os.kill(victim, signal.SIGKILL)
    assert "SIGKILL" in await failed(handle)
    await gone(*pids)
    assert await (await apart.add.aenqueue(1, 1)).await_result(PATIENCE) == 2
