"""News that are written while a watcher goes on waiting."""

import asyncio

import pytest

from consumers.feeds.chunk import Chunk
from consumers.feeds.turn import Outlet
from consumers.feeds.watcher import Signal

from ..loops import settle
from .watchbench import Bench, Wire, watch


async def waiting(bench: Bench) -> "tuple[Wire, asyncio.Task[list[int | Signal]]]":
    """A watcher that waits for news to be written, and what comes out of its iteration."""
    wire, watcher = Wire(), bench.watch()
    watcher.outlet = wire.outlet
    iterating = watch(watcher)
    await settle()
    return wire, iterating


async def test_news_are_written_while_it_waits(bench: Bench) -> None:
    wire, watching = await waiting(bench)
    bench.emit(1)
    bench.emit(1)  # in the same turn of the loop, so together
    await settle()
    bench.emit(2)
    await settle()
    assert wire.written == ["FROM 1 TO 2", "FROM 3 TO 4"]
    bench.emit(1, finish=True)
    assert await watching == []  # its end is all that the iteration has
    assert wire.written[2:] == ["FROM 5 TO 5"]


async def test_what_a_socket_has_not_taken_is_written_the_ordinary_way(bench: Bench) -> None:
    wire, watching = await waiting(bench)
    wire.room = 4
    bench.emit(1)
    await settle()
    assert (wire.written, wire.rests) == (["FROM"], [" 1 TO 1"])
    bench.emit(1)
    await settle()
    assert (wire.written, wire.rests) == (["FROM", "FROM"], [" 1 TO 1", " 2 TO 2"])
    bench.emit(1, finish=True)
    assert await watching == []
    assert wire.rests == [" 1 TO 1", " 2 TO 2", " 3 TO 3"]


async def test_what_a_full_socket_refuses_is_written_the_ordinary_way(bench: Bench) -> None:
    wire, watching = await waiting(bench)
    wire.room = 0
    bench.emit(1)
    await settle()
    assert wire.rests == ["FROM 1 TO 1"]
    bench.emit(1)  # it is not open now, so it comes out of the iteration
    await settle()
    wire.room = 1_000
    bench.emit(1)
    await settle()
    bench.emit(1)  # and from here on it is again
    await settle()
    bench.emit(1, finish=True)
    assert await watching == [2, 3]
    assert (wire.written, wire.rests) == (["FROM 4 TO 4", "FROM 5 TO 5"], ["FROM 1 TO 1"])


async def test_nothing_is_written_once_it_is_shut(bench: Bench) -> None:
    """Also not what came in the same turn of the loop."""
    wire, watching = await waiting(bench)
    bench.emit(1)
    assert wire.shut is not None
    wire.shut()
    wire.room = 0
    await settle()
    bench.emit(1, finish=True)
    assert await watching == [1, 2]
    assert (wire.written, wire.rests) == ([], [])


async def test_more_than_a_chunk_is_written_in_turns(bench: Bench) -> None:
    wire, watching = await waiting(bench)
    bench.emit(1_000)
    await settle()
    bench.emit(1, finish=True)
    assert await watching == []
    assert wire.written == ["FROM 1 TO 512", "FROM 513 TO 1000", "FROM 1001 TO 1001"]


async def test_nothing_is_written_that_the_log_must_tell(bench: Bench) -> None:
    wire, watching = await waiting(bench)
    bench.emit(2, publish=False)
    bench.emit(1)
    await settle()
    bench.emit(1, finish=True)
    assert await watching == [1, 2, 3]
    assert wire.written == ["FROM 4 TO 4"]


async def test_who_is_ahead_of_the_feed_is_not_written_what_others_lack(bench: Bench) -> None:
    first, watching = await waiting(bench)
    bench.emit(2, publish=False)
    second, ahead = Wire(), bench.watch(2)
    ahead.outlet = second.outlet
    beside = watch(ahead)
    await settle()
    for _ in range(2):
        bench.emit(1)
        await settle()
    bench.emit(1, finish=True)
    assert await watching == [1, 2, 3]
    assert await beside == [3]
    assert first.written == second.written == ["FROM 4 TO 4", "FROM 5 TO 5"]


async def test_each_form_is_made_once_and_written_to_those_who_have_it(bench: Bench) -> None:
    made: list[str] = []

    def form(name: str, wire: Wire) -> Outlet:
        def encode(chunk: Chunk) -> bytes:
            made.append(name)
            return name.encode()

        return Outlet(name, encode, wire)

    wires = [Wire() for _ in range(4)]
    watching = []
    for name, wire in zip("abab", wires, strict=True):
        watcher = bench.watch()
        watcher.outlet = form(name, wire)
        watching.append(watch(watcher))
    await settle()
    bench.emit(1)
    await settle()
    assert sorted(made) == ["a", "b"]
    bench.emit(1, finish=True)
    assert await asyncio.gather(*watching) == [[]] * 4
    assert [wire.written for wire in wires] == [["A", "A"], ["B", "B"]] * 2


async def test_who_cannot_be_written_to_is_given_it_and_the_others_have_theirs(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(chunk: Chunk) -> bytes:
        raise LookupError("no such form")

    wire, broken, sound = Wire(), bench.watch(), bench.watch()
    broken.outlet, sound.outlet = Outlet("broken", fail, Wire()), wire.outlet
    watching = [watch(broken), watch(sound)]
    await settle()
    bench.emit(2)
    await settle()
    assert wire.written == ["FROM 1 TO 2"]
    assert "no such form" in caplog.text
    bench.emit(1, finish=True)
    assert await asyncio.gather(*watching) == [[1, 2, 3], []]
    assert wire.written == ["FROM 1 TO 2", "FROM 3 TO 3"]


async def test_who_loses_what_was_not_taken_is_let_go_to_come_again(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(data: bytes) -> None:
        raise LookupError("no such connection")

    (wire, watching), (other, beside) = await waiting(bench), await waiting(bench)
    monkeypatch.setattr(wire, "finish", fail)
    wire.room = 0
    bench.emit(2)
    assert await watching == []
    assert "no such connection" in caplog.text
    bench.emit(1, finish=True)
    assert await beside == []
    assert other.written == ["FROM 1 TO 2", "FROM 3 TO 3"]


async def test_nothing_is_written_after_the_end(bench: Bench) -> None:
    wire, watcher = Wire(), bench.watch()
    watcher.outlet = wire.outlet
    watching = watch(watcher)
    await settle()
    bench.emit(1)
    watcher.close()
    assert await watching == []
    await settle()
    assert wire.written == []


async def test_an_iteration_that_is_cancelled_is_where_its_news_were_written_to(
    bench: Bench,
) -> None:
    wire, watcher = Wire(), bench.watch()
    watcher.outlet = wire.outlet
    watching = watch(watcher)
    await settle()
    bench.emit(2)
    await settle()
    watching.cancel()
    await settle()
    assert (wire.written, watcher.cursor) == (["FROM 1 TO 2"], 2)
    bench.emit(1)
    await settle()
    assert wire.written == ["FROM 1 TO 2"]
