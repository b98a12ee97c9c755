"""Processes that execute runs tell others that they live."""

import time
from datetime import timedelta
from typing import Any

import anyio
import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.db.models import F

from tasks.engine import store
from tasks.engine.claims.presence import this_host
from tasks.engine.store import WorkerInfo
from tasks.models import Worker
from tasks.testing import running_supervisor
from tests.app import tasks as app
from tests.tasks.runs import row, started, until

pytestmark = pytest.mark.django_db(transaction=True)


def info(worker_id: str, **fields: Any) -> WorkerInfo:
    said: dict[str, Any] = {"host": "h", "pid": 1, "role": "all", "concurrency": 9, "layer": "L"}
    return WorkerInfo(id=worker_id, version="1", **said | fields)


async def workers() -> list[Worker]:
    return [worker async for worker in Worker.objects.all()]


async def one_is_there() -> bool:
    return len(await workers()) == 1


async def test_a_process_is_there_while_it_executes(settings: Any) -> None:
    settings.HEADWAY = {"QUEUES": {"mail": 3, "default": None}, "CONCURRENCY": 7, "ROLE": "worker"}
    async with running_supervisor():
        await until(one_is_there)
        (worker,) = await workers()
        handle = await app.sleep.aenqueue(3600)
        await started(handle)
        assert worker.id == (await row(handle)).worker_id
        await handle.akill()
    assert (worker.host, worker.role, worker.concurrency) == (this_host(), "worker", 7)
    assert sorted(worker.queues) == ["default", "mail"]
    assert worker.version
    assert await workers() == []


async def test_it_goes_on_saying_so_and_that_it_drains(settings: Any) -> None:
    settings.HEADWAY = {"LEASE": 0.3, "GRACE": 20}
    async with running_supervisor() as supervisor:
        await until(one_is_there)
        (first,) = await workers()

        async def seen_later() -> bool:
            (again,) = await workers()
            return again.seen_at > first.seen_at and again.started_at == first.started_at

        await until(seen_later)
        handle = await app.sleep.aenqueue(3600)
        await started(handle)
        supervisor.drain()

        async def says_so() -> bool:
            return (await workers())[0].draining

        await until(says_so)
        await handle.akill()


async def test_a_table_that_cannot_be_written_holds_nothing_up(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("no room on the disk")

    # Longer than a loaded machine keeps a thread from renewing; the run takes some leases.
    settings.HEADWAY = {"LEASE": 1.0}
    monkeypatch.setattr(store, "show_up", away)
    async with running_supervisor():
        handle = await app.sleep.aenqueue(2.5)
        with anyio.fail_after(20):
            assert await handle.await_result() == "slept"
    assert (await row(handle)).fence == 1
    assert "no room on the disk" in caplog.text


def test_who_is_silent_is_not_alive_and_later_forgotten() -> None:
    store.show_up(info("alive"), draining=False)
    store.show_up(info("silent", queues=["mail"]), draining=False)
    Worker.objects.filter(id="silent").update(seen_at=F("seen_at") - timedelta(seconds=30))
    assert [worker.id for worker in store.live_workers(10)] == ["alive"]
    assert {worker.id for worker in store.live_workers(60)} == {"alive", "silent"}
    store.forget_silent(60)
    assert Worker.objects.count() == 2
    store.forget_silent(10)
    assert [worker.id for worker in Worker.objects.all()] == ["alive"]


def test_what_a_process_says_is_read_back() -> None:
    before = time.time()
    store.show_up(info("one", queues=["mail"]), draining=True)
    (worker,) = store.live_workers(10)
    assert (worker.pid, worker.role, worker.queues, worker.draining) == (1, "all", ["mail"], True)
    assert abs(worker.seen_at.timestamp() - before) < 5
    assert worker.takes("mail")
    assert not worker.takes("default")


async def test_the_silent_are_forgotten_by_who_comes(settings: Any) -> None:
    await sync_to_async(store.show_up)(info("dead"), False)
    await Worker.objects.aupdate(seen_at=F("seen_at") - timedelta(seconds=101))
    async with running_supervisor():

        async def only_this_one() -> bool:
            return "dead" not in {worker.id for worker in await workers()}

        await until(only_this_one)
