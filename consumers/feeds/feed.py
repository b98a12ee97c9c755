"""The newest events of one run, kept for everyone who watches it."""

from collections.abc import Sequence
from enum import Enum, auto
from time import monotonic
from typing import Protocol
from uuid import UUID

from consumers import delivered
from consumers.feeds.chunk import Chunk, fitting
from consumers.feeds.memory import Memory
from consumers.feeds.turn import News, Turn
from consumers.wire import type_of
from tasks.events import FINISHED

__all__ = ["Feed", "Listener", "Place"]

_FINISHED = FINISHED.encode()


class Listener(Protocol):
    """Who watches a feed. Both calls only make it look; they never wait for it."""

    def wake(self) -> None:
        """Something is new."""

    def beat(self) -> None:
        """Nothing was new for a while."""


class Place(Enum):
    """What a cursor finds in a feed where there is no chunk for it."""

    BEHIND = auto()  # the next events are in the log only
    CURRENT = auto()  # nothing new yet
    FINISHED = auto()  # nothing new ever
    CLOSED = auto()  # this process goes away
    GONE = auto()  # the run was deleted


class Feed:
    """Envelopes ``tail + 1 … head`` of a run's log, without a hole.

    A message that does not follow on the head moves the tail up to it: what is missing
    is in the log, and whoever is behind the tail reads it there. So a lost, doubled or
    reordered message costs one read and never an event, and repair needs no code of its
    own. The head never goes back.

    *limit* is in bytes of envelopes; *memory* bounds all feeds together. Pure state: whoever
    calls brings the news.
    """

    def __init__(self, run_id: UUID, group: str, limit: int, memory: Memory | None = None) -> None:
        self.run_id = run_id
        self.group = group
        self.tail = 0
        self.head = 0
        self.finished = False
        self.listeners: set[Listener] = set()
        self.turn = Turn(self.news)
        self._limit = limit
        self._memory = memory
        self._envelopes: list[bytes] = []
        self._size = 0
        self._chunks: dict[int, Chunk] = {}
        self._made = 0  # bytes of the chunks
        self._over: Place | None = None
        self._stirred = monotonic()

    def offer(self, first: int, envelopes: Sequence[bytes]) -> None:
        """Take consecutive envelopes, the first of them with seq *first*."""
        known = self.head + 1 - first
        if known >= len(envelopes):
            return
        if known < 0:
            delivered.gaps.inc()
            self._jump(first - 1)
            known = 0
        fresh = envelopes[known:]
        self._envelopes += fresh
        self._size += sum(map(len, fresh))
        self.head += len(fresh)
        self.finished = type_of(fresh[-1]) == _FINISHED
        self._trim()
        self._stir()
        self._weigh()

    def forget(self) -> None:
        """Keep nothing: who is behind the head reads the log."""
        self._jump(self.head)
        self._drop()

    def note(self, last_seq: int, finished: bool) -> None:
        """Learn how far the log goes, from the database."""
        if last_seq < self.head or self.finished:
            return
        if last_seq > self.head:
            self._jump(last_seq)
        elif not finished:
            return
        self.finished = finished
        self._stir()

    def close(self) -> None:
        """Tell everyone to go elsewhere, after what is here has been read."""
        self._end(Place.CLOSED)

    def vanish(self) -> None:
        """The run is no more."""
        self._end(Place.GONE)

    def read(self, cursor: int) -> Chunk | Place:
        """What follows *cursor*. A cursor may be past the head: the log is ahead of us."""
        if cursor < self.tail:
            return self._over or Place.BEHIND
        if cursor < self.head:
            return self._chunk(cursor)
        if self.finished:
            return Place.FINISHED
        return self._over or Place.CURRENT

    def news(self, cursor: int) -> News | None:
        """What follows *cursor*, if that is more than the end."""
        found = self.read(cursor)
        if not isinstance(found, Chunk):
            return None
        return News(found, self.read(found.last) is Place.CURRENT)

    def beat(self, silent: float) -> None:
        """Let the listeners say that they are alive if nothing stirred for *silent* seconds."""
        if monotonic() - self._stirred >= silent:
            self._stirred = monotonic()
            for listener in self.listeners:
                listener.beat()

    def _chunk(self, cursor: int) -> Chunk:
        chunk = self._chunks.get(cursor)
        if chunk is None:
            start = cursor - self.tail
            count = fitting(self._envelopes, start)
            chunk = Chunk(cursor + 1, self._envelopes[start : start + count])
            if self._made > self._limit:
                self._drop()
            self._chunks[cursor] = chunk
            self._made += chunk.weight
            self._weigh()
        return chunk

    def _drop(self) -> None:
        self._chunks.clear()
        self._made = 0

    def _weigh(self) -> None:
        if self._memory is not None:
            self._memory.weigh(self, self._size + self._made)

    def _jump(self, seq: int) -> None:
        self._envelopes.clear()
        self._size = 0
        self.tail = self.head = seq

    def _trim(self) -> None:
        dropped = 0
        while self._size > self._limit:
            self._size -= len(self._envelopes[dropped])
            dropped += 1
        del self._envelopes[:dropped]
        self.tail += dropped

    def _end(self, how: Place) -> None:
        self._over = self._over or how
        self._stir()

    def _stir(self) -> None:
        self._stirred = monotonic()
        self._drop()  # the last one may have grown
        self.turn.stir()
        if len(self.listeners) > len(self.turn):  # or each would be touched, see Turn
            for listener in [each for each in self.listeners if each not in self.turn]:
                listener.wake()
