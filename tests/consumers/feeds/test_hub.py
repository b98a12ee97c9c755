"""The hub: it hears the layer, checks against the log, and lets go."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from consumers.feeds.hub import Hub
from consumers.feeds.watcher import Signal
from consumers.refusal import Refusal
from tasks.engine.metrics.trouble import Trouble
from tasks.models import TaskRun

from ..fakes import FakeLog, batch, seqs
from ..loops import settle
from .hubbench import RUN, Bench, group_of


async def test_live(hub_bench: Bench) -> None:
    watching = hub_bench.watch()
    await settle()
    for _ in range(3):
        hub_bench.layer.deliver(hub_bench.log.emit(RUN, 2))
    hub_bench.layer.deliver(hub_bench.log.emit(RUN, 1, finish=True))
    assert await watching == seqs(1, 7)
    assert hub_bench.log.reads == []


async def test_reconciliation_finds_what_the_layer_lost(hub_bench: Bench, settings: Any) -> None:
    await hub_bench.stop()
    settings.HEADWAY = {"RECONCILE": 0.001}
    await hub_bench.serve()
    watching = hub_bench.watch()
    await settle()
    hub_bench.log.emit(RUN, 5, finish=True)
    assert await watching == seqs(1, 5)


async def test_all_watched_runs_are_compared_in_one_query(hub_bench: Bench) -> None:
    asked: list[list[UUID]] = []
    progress = hub_bench.log.progress

    async def counted(run_ids: Any) -> Any:
        asked.append(list(run_ids))
        return await progress(run_ids)

    hub_bench.log.progress = counted  # type: ignore[method-assign]
    runs = [uuid4() for _ in range(50)]
    watchings = [hub_bench.watch(run_id) for run_id in runs]
    for run_id in runs:
        hub_bench.log.emit(run_id, 1, finish=True)
    await hub_bench.hub.reconcile(list(hub_bench.hub._feeds.values()))
    assert sorted(asked[0]) == sorted(runs)
    assert await asyncio.gather(*watchings) == [[1]] * 50
    asked.clear()
    await hub_bench.hub.reconcile([])
    assert asked == []


async def test_a_deleted_run_ends_its_watchers(hub_bench: Bench) -> None:
    watching = hub_bench.watch()
    await settle()
    del hub_bench.log.runs[RUN]
    await hub_bench.hub.reconcile(list(hub_bench.hub._feeds.values()))
    assert await watching == [Signal.GONE]


async def test_a_failing_layer_costs_latency_only(
    hub_bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Trouble, "pause", 0.0)
    watching = hub_bench.watch()
    await settle()
    hub_bench.layer.groups.clear()  # Redis came back empty
    for _ in range(3):
        hub_bench.layer.fail(ConnectionError("redis"))
    other = hub_bench.watch(uuid4())  # any round of joins mends the others
    await settle()
    assert hub_bench.layer.joined(group_of(RUN))
    hub_bench.layer.deliver(hub_bench.log.emit(RUN, 1, finish=True))
    assert await watching == [1]
    said = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == 1
    other.cancel()


@pytest.mark.parametrize(
    "message",
    [
        {"type": "headway.events"},
        {"type": "headway.events", "batches": [{"run": str(RUN)}]},
        {"type": "headway.events", "batches": [{"run": str(RUN), "first": "x", "envelopes": b""}]},
        {"type": "headway.events", "batches": [{"run": 7, "first": 1, "envelopes": b"x"}]},
        {"type": "other"},
    ],
)
async def test_foreign_messages_are_survived(
    hub_bench: Bench, monkeypatch: pytest.MonkeyPatch, message: dict[str, Any]
) -> None:
    monkeypatch.setattr(Trouble, "pause", 0.0)
    watching = hub_bench.watch()
    await settle()
    hub_bench.layer._queue.put_nowait(message)
    hub_bench.layer.deliver(hub_bench.log.emit(RUN, 1, finish=True))
    assert await watching == [1]


async def test_messages_of_unwatched_runs_are_nothing(hub_bench: Bench) -> None:
    other = uuid4()
    hub_bench.layer.deliver(batch(other, 1, [b"x"]), batch(other, 2, [b"y"]))
    await settle()
    assert hub_bench.hub.watched == 0


async def test_closing_says_farewell_to_all_and_to_those_who_come_later(hub_bench: Bench) -> None:
    watchings = [hub_bench.watch(uuid4()) for _ in range(3)]
    await settle()
    hub_bench.hub.close()
    hub_bench.hub.close()
    watchings.append(hub_bench.watch())
    assert await asyncio.gather(*watchings) == [[Signal.FAREWELL]] * 4
    assert hub_bench.hub.watched == 0


async def test_a_restarted_hub_misses_nothing(hub_bench: Bench) -> None:
    watching = hub_bench.watch()
    await settle()
    hub_bench.layer.deliver(hub_bench.log.emit(RUN, 2))
    await settle()
    await hub_bench.stop()
    assert not hub_bench.hub.ready.is_set()
    assert not hub_bench.layer.joined(group_of(RUN))
    hub_bench.log.emit(RUN, 2, finish=True)
    await hub_bench.serve()
    assert await watching == seqs(1, 4)
    assert hub_bench.layer.channels == 2  # one for each life, though two loops want it at once


async def test_heartbeats(hub_bench: Bench, settings: Any) -> None:
    await hub_bench.stop()
    settings.HEADWAY = {"HEARTBEAT": 0.002}
    await hub_bench.serve()
    watcher = hub_bench.hub.watch(hub_bench.row(), 0)
    assert await anext(watcher) is Signal.HEARTBEAT
    assert await anext(watcher) is Signal.HEARTBEAT
    watcher.close()


async def test_without_a_serving_hub_nothing_is_streamed() -> None:
    with pytest.raises(Refusal) as caught:
        Hub(FakeLog()).watch(TaskRun(id=RUN), 0)
    assert caught.value.status == 503


async def test_many_come_and_go_and_leave_nothing(hub_bench: Bench) -> None:
    tasks = len(asyncio.all_tasks())
    for _ in range(20):
        watchers = [hub_bench.hub.watch(hub_bench.row(uuid4()), 0) for _ in range(50)]
        watchings = [asyncio.ensure_future(anext(watcher)) for watcher in watchers]
        await settle()
        for watcher in watchers:
            watcher.close()
        found = await asyncio.gather(*watchings, return_exceptions=True)
        assert {type(error) for error in found} == {StopAsyncIteration}
    assert hub_bench.hub.watched == 0
    assert len(asyncio.all_tasks()) == tasks
    kept = hub_bench.watch()
    await settle()
    assert sum(map(bool, hub_bench.layer.groups.values())) == 1
    kept.cancel()
