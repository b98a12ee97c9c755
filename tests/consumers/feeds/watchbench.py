"""Watchers of a feed and a log that do what a test says."""

import asyncio
from uuid import uuid4

from consumers.feeds.chunk import Chunk
from consumers.feeds.feed import Feed
from consumers.feeds.replay import Replay
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
    """A connection that takes what there is room for."""

    def __init__(self) -> None:
        self.room = True
        self.puts: list[tuple[int, int]] = []

    def put(self, chunk: Chunk) -> bool:
        if self.room:
            self.puts.append((chunk.first, chunk.last))
        return self.room
