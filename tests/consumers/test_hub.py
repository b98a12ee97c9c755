"""The hub: it hears the layer, checks against the log, and lets go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
from channels.layers import channel_layers

from consumers.feeds.chunk import Chunk
from consumers.feeds.hub import Hub
from consumers.feeds.watcher import Signal, Watcher
from consumers.refusal import Refusal
from tasks.conf import conf
from tasks.engine.metrics.trouble import Trouble
from tasks.engine.news import subscription as subscription_module
from tasks.events import shard_group
from tasks.models import TaskRun
from tasks.states import RunStatus

from .fakes import FakeLayer, FakeLog, batch, seqs
from .loops import settle

RUN = uuid4()


class Bench:
    """A hub between a log and a layer that the test holds in its hands."""

    def __init__(self) -> None:
        self.log = FakeLog()
        self.layer = FakeLayer()
        self.hub = Hub(self.log)
        self.serving: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        self.serving = asyncio.create_task(self.hub.serve())
        await self.hub.ready.wait()

    async def stop(self) -> None:
        if self.serving is not None:
            self.serving.cancel()
            with suppress(asyncio.CancelledError):
                await self.serving

    def watch(self, run_id: UUID = RUN, cursor: int = 0) -> "asyncio.Task[list[int | Signal]]":
        watcher = self.hub.watch(self.row(run_id), cursor)
        return asyncio.create_task(numbers(watcher))

    def row(self, run_id: UUID = RUN) -> TaskRun:
        log = self.log.runs.setdefault(run_id, [])
        status = RunStatus.SUCCESSFUL if run_id in self.log.finished else RunStatus.RUNNING
        return TaskRun(id=run_id, last_seq=len(log), status=status)


async def numbers(watcher: Watcher) -> list[int | Signal]:
    found: list[int | Signal] = []
    with closing(watcher):
        async for item in watcher:
            found += seqs(item.first, item.last) if isinstance(item, Chunk) else [item]
    return found


@pytest.fixture
async def bench(settings: Any) -> AsyncIterator[Bench]:
    settings.HEADWAY = {"RECONCILE": 3600, "SHARDS": 4}
    bench = Bench()
    before = channel_layers.set("default", bench.layer)
    await bench.serve()
    yield bench
    await bench.stop()
    if before is not None:
        channel_layers.set("default", before)


def group_of(run_id: UUID) -> str:
    return shard_group(run_id, conf().shards)


async def test_live(bench: Bench) -> None:
    watching = bench.watch()
    await settle()
    for _ in range(3):
        bench.layer.deliver(bench.log.emit(RUN, 2))
    bench.layer.deliver(bench.log.emit(RUN, 1, finish=True))
    assert await watching == seqs(1, 7)
    assert bench.log.reads == []


async def test_one_channel_joins_the_groups_of_what_is_watched(bench: Bench) -> None:
    runs = [UUID(int=number) for number in (1, 2, 5)]  # 1 and 5 share a shard of 4
    watchings = [bench.watch(run_id) for run_id in runs]
    await settle()
    assert bench.layer.channels == 1
    assert {group for group, members in bench.layer.groups.items() if members} == {
        "headway.shard.1",
        "headway.shard.2",
    }
    for run_id, watching in zip(runs, watchings, strict=True):
        bench.layer.deliver(bench.log.emit(run_id, 1, finish=True))
        await watching
    assert bench.hub.watched == 0


async def test_groups_that_nobody_needs_are_left(bench: Bench) -> None:
    first = bench.watch(UUID(int=1))
    await settle()
    first.cancel()
    await settle()
    second = bench.watch(UUID(int=2))
    await settle()
    assert not bench.layer.joined("headway.shard.1")
    assert bench.layer.joined("headway.shard.2")
    second.cancel()


async def test_what_falls_between_the_read_and_the_group_is_found(bench: Bench) -> None:
    """The view has read the row; events are committed and published; then comes the hub."""
    bench.log.emit(RUN, 2)
    row = bench.row()
    bench.log.emit(RUN, 3)
    watching = asyncio.create_task(numbers(bench.hub.watch(row, 0)))
    await settle()
    bench.layer.deliver(bench.log.emit(RUN, 1, finish=True))
    assert await watching == seqs(1, 6)


async def test_nothing_falls_between_the_group_and_the_second_read(bench: Bench) -> None:
    bench.log.gated = True
    watching = bench.watch()
    await settle()
    assert bench.layer.joined(group_of(RUN))
    assert bench.log.waiting == 1
    bench.layer.deliver(bench.log.emit(RUN, 2))
    await settle()
    bench.log.release(sees="then")  # the log as it was before: an old answer
    bench.log.gated = False
    bench.layer.deliver(bench.log.emit(RUN, 1, finish=True))
    assert await watching == [1, 2, 3]


async def test_reconciliation_finds_what_the_layer_lost(bench: Bench, settings: Any) -> None:
    await bench.stop()
    settings.HEADWAY = {"RECONCILE": 0.001}
    await bench.serve()
    watching = bench.watch()
    await settle()
    bench.log.emit(RUN, 5, finish=True)
    assert await watching == seqs(1, 5)


async def test_all_watched_runs_are_compared_in_one_query(bench: Bench) -> None:
    asked: list[list[UUID]] = []
    progress = bench.log.progress

    async def counted(run_ids: Any) -> Any:
        asked.append(list(run_ids))
        return await progress(run_ids)

    bench.log.progress = counted  # type: ignore[method-assign]
    runs = [uuid4() for _ in range(50)]
    watchings = [bench.watch(run_id) for run_id in runs]
    for run_id in runs:
        bench.log.emit(run_id, 1, finish=True)
    await bench.hub.reconcile(list(bench.hub._feeds.values()))
    assert sorted(asked[0]) == sorted(runs)
    assert await asyncio.gather(*watchings) == [[1]] * 50
    asked.clear()
    await bench.hub.reconcile([])
    assert asked == []


async def test_a_deleted_run_ends_its_watchers(bench: Bench) -> None:
    watching = bench.watch()
    await settle()
    del bench.log.runs[RUN]
    await bench.hub.reconcile(list(bench.hub._feeds.values()))
    assert await watching == [Signal.GONE]


async def test_a_failing_layer_costs_latency_only(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Trouble, "pause", 0.0)
    watching = bench.watch()
    await settle()
    bench.layer.groups.clear()  # Redis came back empty
    for _ in range(3):
        bench.layer.fail(ConnectionError("redis"))
    other = bench.watch(uuid4())  # any round of joins mends the others
    await settle()
    assert bench.layer.joined(group_of(RUN))
    bench.layer.deliver(bench.log.emit(RUN, 1, finish=True))
    assert await watching == [1]
    said = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == 1
    other.cancel()


async def test_a_layer_that_cannot_be_joined(bench: Bench) -> None:
    bench.layer.failing = ConnectionError("redis")
    watching = bench.watch()
    await settle()
    bench.log.emit(RUN, 1, finish=True)
    await bench.hub.reconcile(list(bench.hub._feeds.values()))
    assert await watching == [1]
    assert bench.hub.ready.is_set()


async def test_memberships_are_renewed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    watching = bench.watch()
    await settle()
    bench.layer.groups.clear()
    monkeypatch.setattr(subscription_module, "_REJOIN", 0.0)
    other = bench.watch(uuid4())
    await settle()
    assert bench.layer.joined(group_of(RUN))
    watching.cancel()
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
    bench: Bench, monkeypatch: pytest.MonkeyPatch, message: dict[str, Any]
) -> None:
    monkeypatch.setattr(Trouble, "pause", 0.0)
    watching = bench.watch()
    await settle()
    bench.layer._queue.put_nowait(message)
    bench.layer.deliver(bench.log.emit(RUN, 1, finish=True))
    assert await watching == [1]


async def test_messages_of_unwatched_runs_are_nothing(bench: Bench) -> None:
    other = uuid4()
    bench.layer.deliver(batch(other, 1, [b"x"]), batch(other, 2, [b"y"]))
    await settle()
    assert bench.hub.watched == 0


async def test_closing_says_farewell_to_all_and_to_those_who_come_later(bench: Bench) -> None:
    watchings = [bench.watch(uuid4()) for _ in range(3)]
    await settle()
    bench.hub.close()
    bench.hub.close()
    watchings.append(bench.watch())
    assert await asyncio.gather(*watchings) == [[Signal.FAREWELL]] * 4
    assert bench.hub.watched == 0


async def test_a_restarted_hub_misses_nothing(bench: Bench) -> None:
    watching = bench.watch()
    await settle()
    bench.layer.deliver(bench.log.emit(RUN, 2))
    await settle()
    await bench.stop()
    assert not bench.hub.ready.is_set()
    assert not bench.layer.joined(group_of(RUN))
    bench.log.emit(RUN, 2, finish=True)
    await bench.serve()
    assert await watching == seqs(1, 4)
    assert bench.layer.channels == 2  # one for each life, though two loops want it at once


async def test_heartbeats(bench: Bench, settings: Any) -> None:
    await bench.stop()
    settings.HEADWAY = {"HEARTBEAT": 0.002}
    await bench.serve()
    watcher = bench.hub.watch(bench.row(), 0)
    assert await anext(watcher) is Signal.HEARTBEAT
    assert await anext(watcher) is Signal.HEARTBEAT
    watcher.close()


async def test_without_a_serving_hub_nothing_is_streamed() -> None:
    with pytest.raises(Refusal) as caught:
        Hub(FakeLog()).watch(TaskRun(id=RUN), 0)
    assert caught.value.status == 503


async def test_many_come_and_go_and_leave_nothing(bench: Bench) -> None:
    tasks = len(asyncio.all_tasks())
    for _ in range(20):
        watchers = [bench.hub.watch(bench.row(uuid4()), 0) for _ in range(50)]
        watchings = [asyncio.ensure_future(anext(watcher)) for watcher in watchers]
        await settle()
        for watcher in watchers:
            watcher.close()
        found = await asyncio.gather(*watchings, return_exceptions=True)
        assert {type(error) for error in found} == {StopAsyncIteration}
    assert bench.hub.watched == 0
    assert len(asyncio.all_tasks()) == tasks
    kept = bench.watch()
    await settle()
    assert sum(map(bool, bench.layer.groups.values())) == 1
    kept.cancel()
