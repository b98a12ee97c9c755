"""A watcher: the log from its cursor on, once and in order, and then an end."""

import asyncio
import gc
import weakref

import pytest

from consumers.feeds.chunk import Chunk
from consumers.feeds.watcher import Signal
from consumers.refusal import Refusal

from ..fakes import seqs
from ..loops import settle
from .watchbench import RUN, Bench, Wire, numbers, watch

DENIED = Refusal(403, "forbidden", "Not any more.")


async def test_from_the_feed(bench: Bench) -> None:
    bench.emit(3)
    bench.emit(1, finish=True)
    assert await numbers(bench.watch()) == [1, 2, 3, 4]
    assert await numbers(bench.watch(2)) == [3, 4]
    assert bench.log.reads == []


async def test_from_the_log_and_then_the_feed(bench: Bench) -> None:
    bench.emit(5, publish=False)
    bench.feed.note(5, finished=False)
    watching = watch(bench.watch())
    await settle()
    bench.emit(2, finish=True)
    assert await watching == seqs(1, 7)
    assert bench.log.reads == [(RUN, 0)]


async def test_the_log_may_tell_the_end_before_the_feed_hears_of_it(bench: Bench) -> None:
    bench.emit(3, publish=False)
    bench.feed.note(3, finished=False)
    bench.emit(1, finish=True, publish=False)
    assert await numbers(bench.watch()) == seqs(1, 4)


async def test_at_the_end_of_a_finished_run(bench: Bench) -> None:
    bench.emit(3, finish=True)
    assert await numbers(bench.watch(3)) == []


async def test_woken_by_what_is_new(bench: Bench) -> None:
    watching = watch(bench.watch())
    for _ in range(5):
        await settle()
        bench.emit(2)
    bench.emit(1, finish=True)
    assert await watching == seqs(1, 11)


async def test_a_lost_message_is_read_from_the_log(bench: Bench) -> None:
    watching = watch(bench.watch())
    bench.emit(2)
    await settle()
    bench.emit(2, publish=False)
    bench.emit(2)
    await settle()
    assert len(bench.log.reads) == 1
    bench.emit(1, finish=True)
    assert await watching == seqs(1, 7)


async def test_a_heartbeat_only_where_nothing_else_is_said(bench: Bench) -> None:
    watcher = bench.watch()
    bench.feed.beat(silent=0)
    assert await anext(watcher) is Signal.HEARTBEAT
    bench.feed.beat(silent=0)
    bench.emit(1)
    assert isinstance(await anext(watcher), Chunk)
    waiting = asyncio.ensure_future(anext(watcher))
    await settle()
    assert not waiting.done()
    bench.feed.beat(silent=0)
    assert await waiting is Signal.HEARTBEAT


async def test_farewell_after_all_that_is_here(bench: Bench) -> None:
    bench.emit(3)
    watcher = bench.watch()
    bench.feed.close()
    assert await numbers(watcher) == [1, 2, 3, Signal.FAREWELL]
    assert bench.released == [bench.feed]


async def test_a_waiting_watcher_hears_the_farewell(bench: Bench) -> None:
    watching = watch(bench.watch())
    await settle()
    bench.feed.close()
    assert await watching == [Signal.FAREWELL]


async def test_a_deleted_run(bench: Bench) -> None:
    watching = watch(bench.watch())
    await settle()
    bench.feed.vanish()
    assert await watching == [Signal.GONE]


async def test_a_log_that_cannot_be_read_sends_the_client_away_to_come_again(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.feed.note(5, finished=False)
    bench.log.failing = OSError("no database")
    assert await numbers(bench.watch()) == [Signal.FAREWELL]
    assert [record.name for record in caplog.records] == ["headway.watcher"]


async def test_a_log_that_has_less_than_the_feed_promised(bench: Bench) -> None:
    bench.feed.note(5, finished=False)
    assert await numbers(bench.watch()) == [Signal.FAREWELL]


async def test_closing_releases_the_feed_once(bench: Bench) -> None:
    watcher = bench.watch()
    watching = watch(watcher)
    await settle()
    watcher.close()
    watcher.close()
    assert await watching == []
    assert bench.feed.listeners == set()
    assert bench.released == [bench.feed]


async def test_cancelling_one_leaves_the_others(bench: Bench) -> None:
    watchings = [watch(bench.watch()) for _ in range(3)]
    await settle()
    watchings[0].cancel()
    await settle()
    bench.emit(2, finish=True)
    assert await asyncio.gather(*watchings[1:]) == [[1, 2], [1, 2]]


async def test_the_loop_is_left_to_others_between_chunks(bench: Bench) -> None:
    """send() may never wait: a long replay must not be one turn of the loop."""
    bench.emit(5_000, finish=True)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)  # its turn is over

    beside = asyncio.create_task(other())
    chunks = [item async for item in bench.watch()]
    beside.cancel()
    assert turns >= len(chunks) >= 10


async def test_nothing_follows_a_denial(bench: Bench) -> None:
    """Neither out of the iteration nor past it, though there is more."""
    wire, watcher, other = Wire(), bench.watch(), bench.watch()
    watcher.outlet = wire.outlet
    watching, beside = watch(watcher), watch(other)
    await settle()
    bench.emit(1)
    watcher.deny(DENIED)
    bench.emit(1)
    assert await watching == [Signal.DENIED]
    assert watcher.refusal is DENIED
    bench.emit(1, finish=True)
    assert await beside == [1, 2, 3]
    assert wire.written == []


async def test_who_is_behind_is_denied_the_rest(bench: Bench) -> None:
    bench.emit(2_000, finish=True)
    watcher = bench.watch()
    first = await anext(watcher)
    assert isinstance(first, Chunk)
    watcher.deny(DENIED)
    assert await numbers(watcher) == [Signal.DENIED]
    assert watcher.cursor == first.last


async def test_who_has_ended_is_not_denied_anything(bench: Bench) -> None:
    watcher = bench.watch()
    watcher.close()
    watcher.deny(DENIED)
    assert watcher.refusal is None
    assert await numbers(watcher) == []


async def test_a_closed_watcher_is_garbage(bench: Bench) -> None:
    watcher = bench.watch()
    watching = watch(watcher)
    await settle()
    watcher.close()
    await watching
    gone = weakref.ref(watcher)
    del watcher, watching
    gc.collect()
    assert gone() is None
