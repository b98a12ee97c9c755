"""Stored events are read once for all who ask."""

import asyncio
import gc
from contextlib import suppress
from contextvars import ContextVar
from uuid import UUID, uuid4

import pytest

from consumers.feeds.chunk import CHUNK_EVENTS, Chunk
from consumers.feeds.replay import Replay

from ..fakes import FakeLog
from ..loops import settle

RUN = uuid4()
PLENTY = 10**9


async def whole(replay: Replay, run_id: UUID, cursor: int = 0) -> list[Chunk]:
    chunks = []
    while chunk := await replay.after(run_id, cursor):
        chunks.append(chunk)
        cursor = chunk.last
    return chunks


async def test_the_log_in_chunks() -> None:
    log = FakeLog()
    log.emit(RUN, CHUNK_EVENTS + 10, finish=True)
    chunks = await whole(Replay(log, PLENTY), RUN)
    assert [(chunk.first, chunk.last) for chunk in chunks] == [
        (1, CHUNK_EVENTS),
        (CHUNK_EVENTS + 1, CHUNK_EVENTS + 10),
    ]
    assert [line for chunk in chunks for line in chunk.envelopes] == log.runs[RUN]


async def test_one_read_for_all_who_ask_meanwhile() -> None:
    log = FakeLog()
    log.emit(RUN, 5)
    log.gated = True
    replay = Replay(log, PLENTY)
    asking = [asyncio.create_task(replay.after(RUN, 0)) for _ in range(20)]
    await settle()
    assert log.waiting == 1
    log.release()
    chunks = await asyncio.gather(*asking)
    assert len(set(map(id, chunks))) == 1


async def test_twenty_joiners_read_a_full_chunk_once() -> None:
    log = FakeLog()
    log.emit(RUN, 3 * CHUNK_EVENTS)
    replay = Replay(log, PLENTY)
    first = await whole(replay, RUN)
    reads = len(log.reads)
    for _ in range(20):
        again = await whole(replay, RUN)
        assert all(one is other for one, other in zip(first, again, strict=True))
    # Only the look past the end is never kept.
    assert len(log.reads) == reads + 20


async def test_whoever_begins_in_between_shares_from_the_second_chunk_on() -> None:
    log = FakeLog()
    log.emit(RUN, 3 * CHUNK_EVENTS)
    replay = Replay(log, PLENTY)
    full = await whole(replay, RUN)
    late = await whole(replay, RUN, 100)
    assert (late[0].first, late[0].last) == (101, CHUNK_EVENTS)
    assert late[1] is full[1]


async def test_a_chunk_that_can_grow_is_not_kept() -> None:
    log = FakeLog()
    log.emit(RUN, 5)
    replay = Replay(log, PLENTY)
    assert [chunk.last for chunk in await whole(replay, RUN)] == [5]
    log.emit(RUN, 5)
    assert [chunk.last for chunk in await whole(replay, RUN)] == [10]


async def test_memory_is_bounded_and_the_oldest_goes() -> None:
    log = FakeLog()
    log.emit(RUN, 4 * CHUNK_EVENTS)
    one = await Replay(log, PLENTY).after(RUN, 0)
    assert one is not None
    replay = Replay(log, int(2.5 * one.weight))
    await whole(replay, RUN)
    log.reads.clear()
    await replay.after(RUN, 3 * CHUNK_EVENTS)
    await replay.after(RUN, 2 * CHUNK_EVENTS)
    assert log.reads == []
    await replay.after(RUN, 0)
    assert log.reads == [(RUN, 0)]


async def test_the_first_to_ask_may_leave() -> None:
    log = FakeLog()
    log.emit(RUN, 5)
    log.gated = True
    replay = Replay(log, PLENTY)
    first = asyncio.create_task(replay.after(RUN, 0))
    second = asyncio.create_task(replay.after(RUN, 0))
    await settle()
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    log.release()
    chunk = await second
    assert chunk is not None
    assert chunk.last == 5


async def test_a_failed_read_is_everyones_and_is_not_kept() -> None:
    log = FakeLog()
    log.emit(RUN, 5)
    log.failing = OSError("no database")
    replay = Replay(log, PLENTY)
    asking = [asyncio.create_task(replay.after(RUN, 0)) for _ in range(3)]
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(error) for error in found] == [OSError] * 3
    log.failing = None
    assert await replay.after(RUN, 0) is not None


async def test_a_failed_read_that_nobody_waits_for_is_silent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = FakeLog()
    log.gated = True
    replay = Replay(log, PLENTY)
    asking = asyncio.create_task(replay.after(RUN, 0))
    await settle()
    asking.cancel()
    log.failing = OSError("no database")
    log.release()
    await settle()
    del asking
    gc.collect()  # asyncio tells of an exception that nobody took when its task goes
    assert caplog.records == []


async def test_a_read_carries_nothing_of_the_request_that_asked_first() -> None:
    request: ContextVar[str] = ContextVar("request")
    request.set("a request")
    seen: list[str | None] = []

    class Looking(FakeLog):
        async def read(self, run_id: UUID, after: int, limit: int):  # type: ignore[no-untyped-def]
            seen.append(request.get(None))
            return await super().read(run_id, after, limit)

    await Replay(Looking(), PLENTY).after(RUN, 0)
    assert seen == [None]
