"""The layer's groups that a hub joins and leaves."""

import asyncio
from uuid import UUID, uuid4

import pytest

from tasks.engine.news import subscription as subscription_module

from ..fakes import seqs
from ..loops import settle
from .hubbench import RUN, Bench, group_of, numbers


async def test_one_channel_joins_the_groups_of_what_is_watched(hub_bench: Bench) -> None:
    runs = [UUID(int=number) for number in (1, 2, 5)]  # 1 and 5 share a shard of 4
    watchings = [hub_bench.watch(run_id) for run_id in runs]
    await settle()
    assert hub_bench.layer.channels == 1
    assert {group for group, members in hub_bench.layer.groups.items() if members} == {
        "headway.shard.1",
        "headway.shard.2",
    }
    for run_id, watching in zip(runs, watchings, strict=True):
        hub_bench.layer.deliver(hub_bench.log.emit(run_id, 1, finish=True))
        await watching
    assert hub_bench.hub.watched == 0


async def test_groups_that_nobody_needs_are_left(hub_bench: Bench) -> None:
    first = hub_bench.watch(UUID(int=1))
    await settle()
    first.cancel()
    await settle()
    second = hub_bench.watch(UUID(int=2))
    await settle()
    assert not hub_bench.layer.joined("headway.shard.1")
    assert hub_bench.layer.joined("headway.shard.2")
    second.cancel()


async def test_what_falls_between_the_read_and_the_group_is_found(hub_bench: Bench) -> None:
    """The view has read the row; events are committed and published; then comes the hub."""
    hub_bench.log.emit(RUN, 2)
    row = hub_bench.row()
    hub_bench.log.emit(RUN, 3)
    watching = asyncio.create_task(numbers(hub_bench.hub.watch(row, 0)))
    await settle()
    hub_bench.layer.deliver(hub_bench.log.emit(RUN, 1, finish=True))
    assert await watching == seqs(1, 6)


async def test_nothing_falls_between_the_group_and_the_second_read(hub_bench: Bench) -> None:
    hub_bench.log.gated = True
    watching = hub_bench.watch()
    await settle()
    assert hub_bench.layer.joined(group_of(RUN))
    assert hub_bench.log.waiting == 1
    hub_bench.layer.deliver(hub_bench.log.emit(RUN, 2))
    await settle()
    hub_bench.log.release(sees="then")  # the log as it was before: an old answer
    hub_bench.log.gated = False
    hub_bench.layer.deliver(hub_bench.log.emit(RUN, 1, finish=True))
    assert await watching == [1, 2, 3]


async def test_a_layer_that_cannot_be_joined(hub_bench: Bench) -> None:
    hub_bench.layer.failing = ConnectionError("redis")
    watching = hub_bench.watch()
    await settle()
    hub_bench.log.emit(RUN, 1, finish=True)
    await hub_bench.hub.reconcile(list(hub_bench.hub._feeds.values()))
    assert await watching == [1]
    assert hub_bench.hub.ready.is_set()


async def test_memberships_are_renewed(hub_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    watching = hub_bench.watch()
    await settle()
    hub_bench.layer.groups.clear()
    monkeypatch.setattr(subscription_module, "_REJOIN", 0.0)
    other = hub_bench.watch(uuid4())
    await settle()
    assert hub_bench.layer.joined(group_of(RUN))
    watching.cancel()
    other.cancel()
