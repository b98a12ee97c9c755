"""What is watched is kept from retention: marked before its log is read, and as long as it is."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from consumers.feeds import pulse
from consumers.feeds.hub import Hub
from tasks.engine import store
from tasks.models import TaskRun
from tasks.states import RunStatus
from tests.layers import stand_in

from ..connections import HttpStream, events_path, parsed, socket
from ..fakes import FakeLayer, FakeLog, seqs
from ..loops import settle
from ..rows import stored
from ..runsocket import envelopes, opened, refused


async def left(run: TaskRun) -> float:
    """Seconds for which the run is still kept."""
    until = (await TaskRun.objects.aget(pk=run.pk)).watched_until
    return 0.0 if until is None else (until - datetime.now(UTC)).total_seconds()


@pytest.mark.usefixtures("anyone")
async def test_a_finished_run_is_marked_by_who_reads_it(hub: Hub) -> None:
    run, other = await stored(3, finish=True), await stored(3, finish=True)
    stream = await HttpStream(events_path(run.pk)).open()
    assert [frame.id for frame in parsed(await stream.body())] == seqs(1, 3)
    assert 50 < await left(run) <= 61
    found, _ = await envelopes(await opened(socket(other.pk)))
    assert [item["seq"] for item in found] == seqs(1, 3)
    assert 50 < await left(other) <= 61


@pytest.mark.usefixtures("anyone")
async def test_a_run_that_goes_on_needs_no_mark(hub: Hub) -> None:
    run = await stored(3)
    stream = await HttpStream(events_path(run.pk)).open()
    await stream.until(3)
    await stream.disconnect()
    assert await left(run) == 0


@pytest.mark.usefixtures("anyone")
async def test_a_run_that_goes_before_it_is_marked_was_never_there(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, other = await stored(3, finish=True), await stored(3, finish=True)
    real = store.keep

    def too_late(run_ids: Any) -> Any:
        TaskRun.objects.filter(pk__in=run_ids).delete()
        return real(run_ids)

    monkeypatch.setattr(store, "keep", too_late)
    stream = await HttpStream(events_path(run.pk)).open()
    assert stream.status == 404
    assert await refused(socket(other.pk)) == 4404
    assert hub.watched == 0


async def test_the_hub_keeps_what_is_still_read(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HEADWAY = {"RECONCILE": 3600}
    monkeypatch.setattr(pulse, "_KEEP", 0.001)
    log, restore = FakeLog(), stand_in(FakeLayer())
    finished, running = uuid4(), uuid4()
    log.emit(finished, 3, finish=True)
    log.emit(running, 3)
    hub = Hub(log)
    serving = asyncio.create_task(hub.serve())
    try:
        await hub.ready.wait()
        slow = hub.watch(TaskRun(id=finished, last_seq=3, status=RunStatus.SUCCESSFUL), 0)
        going = hub.watch(TaskRun(id=running, last_seq=3, status=RunStatus.RUNNING), 0)
        async with asyncio.timeout(10):
            while len(log.kept) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.001)  # it is another task's event
        slow.close()
        await settle(3)
        log.kept.clear()
        await asyncio.sleep(0.01)  # many times _KEEP; a shorter one only weakens the test
        assert log.kept == []
        going.close()
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
        restore()


async def test_the_stored_log_keeps(hub: Hub) -> None:
    run = await stored(3, finish=True)
    await hub._log.keep([run.pk])
    assert await left(run) > 50
    assert await sync_to_async(store.keep)([run.pk]) == {run.pk}
