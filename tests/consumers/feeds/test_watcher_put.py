"""News that a waiting watcher writes by itself."""

import asyncio

import pytest

from consumers.feeds.chunk import Chunk
from consumers.feeds.watcher import Signal

from ..fakes import seqs
from ..loops import settle
from .watchbench import Bench, Wire, watch


async def waiting(bench: Bench) -> "tuple[Wire, asyncio.Task[list[int | Signal]]]":
    """A watcher that waits for news to be put, and what comes out of its iteration."""
    wire, watcher = Wire(), bench.watch()
    watcher.put = wire.put
    iterating = watch(watcher)
    await settle()
    return wire, iterating


async def test_news_are_put_while_it_waits(bench: Bench) -> None:
    wire, watching = await waiting(bench)
    bench.emit(1)
    bench.emit(1)  # in the same turn of the loop, so together
    await settle()
    bench.emit(2)
    await settle()
    assert wire.puts == [(1, 2), (3, 4)]
    bench.emit(1, finish=True)
    assert await watching == [5]  # whoever iterates has the last word


async def test_what_is_not_put_comes_out_of_the_iteration(bench: Bench) -> None:
    wire, watching = await waiting(bench)
    bench.emit(1)
    await settle()
    wire.room = False
    bench.emit(2)
    await settle()
    wire.room = True
    bench.emit(1)
    await settle()
    bench.emit(1, finish=True)
    assert await watching == [2, 3, 5]
    assert wire.puts == [(1, 1), (4, 4)]


async def test_more_than_a_chunk_is_put_and_the_rest_follows(bench: Bench) -> None:
    wire, watching = await waiting(bench)
    bench.emit(1_000)
    await settle()
    bench.emit(1, finish=True)
    found = await watching
    assert wire.puts == [(1, 512)]
    assert found == seqs(513, 1_001)


async def test_nothing_is_put_that_the_log_must_tell(bench: Bench) -> None:
    wire, watching = await waiting(bench)
    bench.emit(2, publish=False)
    bench.emit(1)
    await settle()
    bench.emit(1, finish=True)
    assert await watching == [1, 2, 3, 4]
    assert wire.puts == []


async def test_who_cannot_be_written_to_is_given_it_and_the_others_have_theirs(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(chunk: Chunk) -> bool:
        raise OSError("no such connection")

    wire, broken, sound = Wire(), bench.watch(), bench.watch()
    broken.put, sound.put = fail, wire.put
    watching = [watch(broken), watch(sound)]
    await settle()
    bench.emit(2)
    await settle()
    assert wire.puts == [(1, 2)]
    assert "no such connection" in caplog.text
    bench.emit(1, finish=True)
    assert await asyncio.gather(*watching) == [[1, 2, 3], [3]]


async def test_nothing_is_put_after_the_end(bench: Bench) -> None:
    wire, watcher = Wire(), bench.watch()
    watcher.put = wire.put
    watching = watch(watcher)
    await settle()
    bench.emit(1)
    watcher.close()
    assert await watching == []
    await settle()
    assert wire.puts == []
