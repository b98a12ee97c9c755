"""Waiting for runs of which nobody in this process tells."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection

from tasks.engine import store
from tasks.engine.news import waiting
from tasks.testing import running_supervisor
from tests.app import tasks as app

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def elsewhere(monkeypatch: pytest.MonkeyPatch, settings: Any) -> AsyncIterator[None]:
    """As if another process executed them; and the next look at them all is far away."""
    settings.HEADWAY = {"POLL": 120}
    monkeypatch.setattr(waiting, "notify", lambda *_: None)
    monkeypatch.setattr(waiting, "stir", lambda *_: None)
    async with running_supervisor():
        yield
    waiting.rest()


async def test_a_run_that_has_ended_before_it_could_be_heard_is_found() -> None:
    handles = await app.add.aenqueue_many([((n,), {}) for n in range(20)])
    results = await asyncio.gather(*(handle.aresult() for handle in handles))
    assert [result.value for result in results] == list(range(20))


async def test_the_end_is_heard_from_the_layer_or_the_file() -> None:
    handle = await app.sleep.aenqueue(0.5)  # so long that the first look finds it under way
    assert (await handle.aresult()).value == "slept"


async def test_so_are_events() -> None:
    handle = await app.emit.aenqueue(4, pause=0.2)
    seqs = [event.seq async for event in handle.aevents(follow=True)]
    assert seqs == list(range(1, 8))


async def test_in_sync_code_too() -> None:
    handle = await app.sleep.aenqueue(0.3)

    def wait() -> Any:
        try:
            return handle.wait()
        finally:
            connection.close()

    assert await sync_to_async(wait, thread_sensitive=False)() == "slept"


async def test_an_outage_is_waited_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    heads, failures = store.heads, iter(range(2))

    def failing(run_ids: Any) -> Any:
        if next(failures, None) is not None:
            raise OperationalError("gone")
        return heads(run_ids)

    monkeypatch.setattr(store, "heads", failing)
    handle = await app.sleep.aenqueue(0.3)
    assert (await handle.aresult()).value == "slept"
    said = [record.getMessage() for record in caplog.records]
    assert any(text.startswith("Reading how far a run is fails") for text in said)


async def test_a_fault_of_its_own_ends_nobodys_waiting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lookout, faults = waiting._lookout, iter(range(1))
    attend = type(lookout)._attend

    async def failing(self: Any, database: Any) -> None:
        if next(faults, None) is not None:
            raise RuntimeError("a fault")
        await attend(self, database)

    monkeypatch.setattr(type(lookout), "_attend", failing)
    waiting.rest()
    handle = await app.sleep.aenqueue(0.3)
    assert (await handle.aresult()).value == "slept"
    assert "it begins again" in caplog.text


async def test_nothing_is_left_once_nobody_waits() -> None:
    handle = await app.sleep.aenqueue(0.3)
    await handle.aresult()
    assert waiting.awaited() == []
    thread = waiting._lookout._thread
    assert thread is not None
    waiting.rest()
    await asyncio.to_thread(thread.join, 20)
    assert not thread.is_alive()
    assert (await (await app.add.aenqueue(1)).aresult()).value == 1  # and it comes again


def test_one_whose_loop_is_closed_does_not_disturb_who_tells() -> None:
    signal = waiting.Signal()

    async def begin() -> None:
        await anext(signal.waiting())

    asyncio.run(begin())
    signal.set()
