"""Watchers of a feed and a log that do what a test says."""

import asyncio
from collections.abc import Callable
from uuid import uuid4

from consumers.asgi import Write
from consumers.feeds.chunk import Chunk
from consumers.feeds.feed import Feed
from consumers.feeds.replay import Replay
from consumers.feeds.turn import Outlet
from consumers.feeds.watcher import Signal, Watcher

from ..fakes import FakeLog, seqs

RUN = uuid4()


class Bench:
    """A feed and its log, with a watcher or more."""

    def __init__(self) -> None:
        self.log = FakeLog()
        self.feed = Feed(RUN, "group", 1_000_000)
        self.released: list[Feed] = []

    def watch(self, cursor: int = 0) -> Watcher:
        replay = Replay(self.log, 1_000_000)
        return Watcher(self.feed, replay, cursor, self.released.append)

    def emit(self, count: int = 1, finish: bool = False, publish: bool = True) -> None:
        message = self.log.emit(RUN, count, finish)
        if publish:
            self.feed.offer(message["first"], message["envelopes"].split(b"\n"))


async def numbers(watcher: Watcher) -> list[int | Signal]:
    found: list[int | Signal] = []
    async for item in watcher:
        found += seqs(item.first, item.last) if isinstance(item, Chunk) else [item]
    return found


def watch(watcher: Watcher) -> "asyncio.Task[list[int | Signal]]":
    return asyncio.create_task(numbers(watcher))


class Wire:
    """A connection whose socket takes what there is room for."""

    def __init__(self) -> None:
        self.room = 1_000_000
        self.written: list[str] = []
        #: What the socket had not taken.
        self.rests: list[str] = []
        self.shut: Callable[[], None] | None = None

    @property
    def outlet(self) -> Outlet:
        return Outlet("names", _names, self)

    @property
    def framing(self) -> Callable[[bytes], bytes]:
        return bytes.upper

    def open(self, shut: Callable[[], None]) -> Write | None:
        self.shut = shut
        return self._write if self.room else None

    def finish(self, data: bytes) -> None:
        self.rests.append(data.decode())

    def _write(self, data: bytes) -> int:
        if not self.room:
            raise BlockingIOError
        taken = data[: self.room]
        self.written.append(taken.decode())
        return len(taken)


def _names(chunk: Chunk) -> bytes:
    return b"from %d to %d" % (chunk.first, chunk.last)
