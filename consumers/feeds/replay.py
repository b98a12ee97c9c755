"""Stored events for watchers that are behind the feed, read and encoded once for all."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection
from contextvars import Context
from typing import NamedTuple, Protocol
from uuid import UUID

from consumers import delivered
from consumers.feeds.chunk import CHUNK_EVENTS, Chunk

__all__ = ["Log", "Page", "Progress", "Replay"]

Key = tuple[UUID, int]


class Page(NamedTuple):
    """Envelopes from the log. *full*: reading it again can never give more."""

    envelopes: list[bytes]
    full: bool


class Progress(NamedTuple):
    """How far a run's log goes, and whether it is complete."""

    last_seq: int
    finished: bool


class Log(Protocol):
    """The log in the database, which is the truth."""

    async def read(self, run_id: UUID, after: int, limit: int) -> Page:
        """At most *limit* envelopes with a seq above *after*; none only if there are none."""

    async def progress(self, run_ids: Collection[UUID]) -> dict[UUID, Progress]:
        """How far these runs are; one that does not exist is absent."""

    async def keep(self, run_ids: Collection[UUID]) -> None:
        """Keep these finished runs from being deleted for their age, for half a minute."""

    def close(self) -> None:
        """Let go of the database; the next call takes hold of it again."""


class Replay:
    """Reads the log a chunk at a time.

    Events never change, so a full chunk is kept, up to *limit* bytes in all, and
    watchers that ask for the same one while it is read wait for the same read. Chunks
    end at multiples of ``CHUNK_EVENTS``: whoever begins elsewhere shares from the
    second one on.
    """

    def __init__(self, log: Log, limit: int) -> None:
        self._log = log
        self._limit = limit
        self._kept: OrderedDict[Key, Chunk] = OrderedDict()
        #: Bytes of the pages that are kept.
        self.size = 0
        self._reading: dict[Key, asyncio.Task[Chunk | None]] = {}

    async def after(self, run_id: UUID, cursor: int) -> Chunk | None:
        """The events that follow *cursor*; None if the log ends there."""
        key = (run_id, cursor)
        if kept := self._kept.get(key):
            self._kept.move_to_end(key)
            return kept
        reading = self._reading.get(key)
        if reading is None:
            # A task of its own, since the first to ask may leave before it is read; in
            # an empty context, or it would carry that one's request along.
            reading = asyncio.create_task(self._read(key), name="replay", context=Context())
            self._reading[key] = reading
            reading.add_done_callback(lambda done: self._done(key, done))
        return await asyncio.shield(reading)

    async def _read(self, key: Key) -> Chunk | None:
        run_id, cursor = key
        limit = CHUNK_EVENTS - cursor % CHUNK_EVENTS
        page = await self._log.read(run_id, cursor, limit)
        delivered.replays.inc()
        if not page.envelopes:
            return None
        chunk = Chunk(cursor + 1, page.envelopes)
        if page.full:
            self._keep(key, chunk)
        return chunk

    def _done(self, key: Key, reading: asyncio.Task[Chunk | None]) -> None:
        del self._reading[key]
        if not reading.cancelled():
            reading.exception()  # everyone who asked may have left: nobody else would look

    def _keep(self, key: Key, chunk: Chunk) -> None:
        self._kept[key] = chunk
        self.size += chunk.weight
        while self.size > self._limit:
            _, oldest = self._kept.popitem(last=False)
            self.size -= oldest.weight
