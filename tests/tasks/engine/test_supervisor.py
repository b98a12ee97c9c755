"""The supervisor's children, its drain, and what a lost lease does."""

import asyncio
import logging
import threading
from datetime import timedelta
from typing import Any

import anyio
import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connections
from django.utils import timezone

from tasks.engine import control, store
from tasks.engine.attempts.endings import lost_with_its_process
from tasks.engine.supervisor import Supervisor
from tasks.models import TaskRun
from tasks.testing import running_supervisor
from tests.app import tasks as app
from tests.tasks.runs import kinds, row, started, until

pytestmark = pytest.mark.django_db(transaction=True)


async def test_drain_before_ready_and_twice() -> None:
    supervisor = Supervisor()
    supervisor.drain()
    supervisor.drain()
    with anyio.fail_after(10):
        await supervisor.serve()


async def test_grace_lets_a_run_end() -> None:
    async with running_supervisor() as supervisor:
        handle = await app.sleep.aenqueue(0.3)
        await started(handle)
        supervisor.drain()
    assert (await row(handle)).status == "SUCCESSFUL"


async def test_drain_claims_no_more() -> None:
    async with running_supervisor() as supervisor:
        running = await app.sleep.aenqueue(0.3)
        await started(running)
        supervisor.drain()
        waiting = await app.add.aenqueue(1)
    assert (await row(waiting)).status == "READY"


@pytest.mark.parametrize("name", ["stubborn", "sleep_in_thread"])
async def test_a_run_that_will_not_end_is_given_back(settings: Any, name: str) -> None:
    settings.HEADWAY = {"GRACE": 0.05}
    async with running_supervisor() as supervisor:
        handle = await getattr(app, name).aenqueue(3)
        await started(handle)
        with anyio.fail_after(2.5):
            supervisor.drain()
            await asyncio.shield(supervisor.drained.wait())
    run = await row(handle)
    assert (run.status, run.attempt) == ("READY", 0)


@pytest.mark.parametrize("grace", [0.05, 30])
async def test_what_a_late_claim_takes_is_given_back(
    settings: Any, monkeypatch: pytest.MonkeyPatch, grace: float
) -> None:
    settings.HEADWAY = {"GRACE": grace}
    taken, answer = threading.Event(), threading.Event()
    claim = store.claim

    def claim_slowly(*where: Any) -> list[store.Claim]:
        claims = claim(*where)
        if claims:
            taken.set()
            answer.wait(5)
        return claims

    monkeypatch.setattr(store, "claim", claim_slowly)
    async with running_supervisor() as supervisor:
        handle = await app.emit.aenqueue(1)
        assert await asyncio.to_thread(taken.wait, 5)
        supervisor.drain()
        # The shorter grace period is over by then.
        asyncio.get_running_loop().call_later(0.2, answer.set)
        await asyncio.shield(supervisor.drained.wait())
    run = await row(handle)
    assert (run.status, run.attempt) == ("READY", 0)
    assert await kinds(handle) == ["queued", "started", "retrying"]  # it has not begun


async def test_drained_runs_on_later(settings: Any) -> None:
    settings.HEADWAY = {"GRACE": 0.05}
    async with running_supervisor():
        handle = await app.sleep.aenqueue(0.5)
        await started(handle)
    async with running_supervisor():
        assert await handle.await_result(10) == "slept"
    run = await row(handle)
    assert (run.attempt, run.fence) == (1, 2)
    types = await kinds(handle)
    assert types == ["queued", "started", "retrying", "started", "finished"]


async def test_a_lost_lease_ends_the_local_attempt(settings: Any) -> None:
    settings.HEADWAY = {"LEASE": 0.6, "POLL": 60}
    async with running_supervisor():
        handle = await app.emit_durably.aenqueue(100_000, 0.01)
        await started(handle)
        # Another process rescues and claims it: here, by hand.
        await sync_to_async(_steal)(handle.id)
        stolen = await row(handle)
        await until(lambda: _nothing_runs())
        after = await row(handle)
    assert (after.fence, after.last_seq, after.status) == (stolen.fence, stolen.last_seq, "RUNNING")


def _steal(run_id: str) -> None:
    changed = TaskRun.objects.filter(pk=run_id)
    changed.update(lease_expires_at=timezone.now() - timedelta(hours=1))
    store.rescue(lost_with_its_process)
    changed.update(status="RUNNING", worker_id="thief", fence=99)


async def _nothing_runs() -> bool:
    return not any(t.get_name().startswith("run ") for t in asyncio.all_tasks())


async def test_leases_live_while_the_loop_is_blocked(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    # Longer than a loaded machine keeps a thread from renewing.
    settings.HEADWAY = {"LEASE": 1.0, "BLOCKED_LOOP": 0.2}
    rescued: list[Any] = []
    ending = threading.Event()

    def other_process() -> None:
        while not ending.wait(0.02):
            rescued.extend(store.rescue(lost_with_its_process))
        connections.close_all()

    with caplog.at_level(logging.WARNING, "headway.watchdog"):
        async with running_supervisor():
            other = threading.Thread(target=other_process)
            other.start()
            handle = await app.block_loop.aenqueue(3.0)  # three leases
            assert await handle.await_result(20) == "blocked"
            ending.set()
            other.join()
    assert rescued == []
    assert (await row(handle)).fence == 1
    (record,) = [r for r in caplog.records if r.name == "headway.watchdog"]
    assert "tests.app.tasks.block_loop" in record.getMessage()
    assert "time.sleep(seconds)" in record.getMessage()
    assert record.__dict__["run_id"] == handle.id


async def test_a_stop_from_another_process_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_supervisor():
        handle = await app.sleep.aenqueue(3600)
        await started(handle)
        # Another process has no workforce that would know of this run.
        with monkeypatch.context() as patch:
            patch.setattr(control, "_workforce", None)
            assert await handle.astop()
        with anyio.fail_after(2):
            await until(lambda: _nothing_runs())
    assert (await row(handle)).status == "CANCELLED"


async def test_no_more_at_once_than_allowed(settings: Any) -> None:
    settings.HEADWAY = {"CONCURRENCY": 3, "QUEUES": {"mail": 1, "*": None}}
    app.most_at_once.clear()
    async with running_supervisor():
        calls: list[Any] = [((), {})] * 12
        handles = await app.count_myself.aenqueue_many(calls)
        handles += await app.count_myself.using(queue_name="mail").aenqueue_many(calls[:4])
        for handle in handles:
            await handle.await_result(20)
    assert app.most_at_once == {"default": 3, "mail": 1}


async def test_a_run_of_another_process_starts_without_polling(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HEADWAY = {"POLL": 3600}
    async with running_supervisor():
        # Another process has no workforce here to wake.
        with monkeypatch.context() as patch:
            patch.setattr(control, "_workforce", None)
            handle = await app.add.aenqueue(1)
        with anyio.fail_after(5):
            await until(lambda: _is_finished(handle))


async def _is_finished(handle: Any) -> bool:
    await handle.arefresh()
    return bool(handle.is_finished)


async def test_a_drain_while_the_database_is_away(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("no route to host")

    settings.HEADWAY = {"GRACE": 3600}
    monkeypatch.setattr(store, "claim", away)
    supervisor = Supervisor()
    serving = asyncio.create_task(supervisor.serve())
    await asyncio.sleep(0.05)  # into the claimer's first failures; too short only weakens
    assert not supervisor.ready.is_set()
    supervisor.drain()
    with anyio.fail_after(5):
        await serving
