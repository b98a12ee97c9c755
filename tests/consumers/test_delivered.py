"""What delivery counts, beside what it delivers."""

import time

import pytest
from prometheus_client import REGISTRY

from consumers.delivered import flushing
from consumers.feeds.feed import Feed
from consumers.feeds.hub import Hub, get_hub
from tasks.ids import new_run_id

from .connections import HttpStream, events_path
from .fakes import envelope_of
from .loops import settle
from .rows import commit, emit, stored

pytestmark = pytest.mark.usefixtures("anyone")


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_gap_is_counted() -> None:
    before = value("headway_gaps_repaired_total")
    run_id = new_run_id()
    feed = Feed(run_id, "group", 1024)
    feed.offer(1, [envelope_of(run_id, 1)])
    feed.offer(1, [envelope_of(run_id, 1)])
    assert value("headway_gaps_repaired_total") == before
    feed.offer(3, [envelope_of(run_id, 3)])
    assert value("headway_gaps_repaired_total") == before + 1


async def test_what_only_the_log_had_is_counted(hub: Hub) -> None:
    run = await stored(events=1)
    stream = await HttpStream(events_path(run.pk)).open()
    await stream.until(1)
    gaps, replays = value("headway_gaps_repaired_total"), value("headway_replays_total")
    feed = hub._feeds[str(run.pk)]
    await hub.reconcile([feed])
    assert value("headway_gaps_repaired_total") == gaps
    await commit(run, 2)
    await hub.reconcile([feed])
    assert value("headway_gaps_repaired_total") == gaps + 1
    await stream.until(3)
    assert value("headway_replays_total") == replays + 1
    await stream.disconnect()


async def test_the_time_from_publishing_until_it_was_written() -> None:
    count, total = (f"headway_publish_to_flush_seconds_{what}" for what in ("count", "sum"))
    before = value(count), value(total)
    flushing(time.time_ns() // 1000 - 3_000_000)
    flushing(time.time_ns() // 1000 + 9_000_000)  # another machine's clock
    flushing(0)  # of a release that does not say
    await settle(3)
    assert value(count) == before[0] + 2
    assert 3 <= value(total) - before[1] < 60


async def test_what_is_kept_is_looked_up(hub: Hub) -> None:
    run = await stored(events=1)
    stream = await HttpStream(events_path(run.pk)).open()
    await stream.until(1)
    await emit(run, 2)
    await stream.until(3)
    assert value("headway_buffered_bytes", where="feeds") == hub.memory.used > 0
    assert value("headway_buffered_bytes", where="replays") == hub.replay.size
    await stream.disconnect()
    assert value("headway_buffered_bytes", where="feeds") == 0


def test_a_process_without_a_hub_gets_none_for_it() -> None:
    get_hub.cache_clear()
    assert value("headway_buffered_bytes", where="feeds") == 0
    assert get_hub.cache_info().currsize == 0
