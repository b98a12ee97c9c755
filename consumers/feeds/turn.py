"""News written once more in this turn of the event loop, to all who wait for them."""

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple, Protocol

from consumers import delivered
from consumers.asgi import Direct, Write
from consumers.feeds.chunk import Chunk

__all__ = ["News", "Outlet", "Turn"]

logger = logging.getLogger("headway.watcher")


class News(NamedTuple):
    """What follows a cursor, and whether that is all there is to say for now."""

    chunk: Chunk
    complete: bool


class Outlet(NamedTuple):
    """How news reach a client while who iterates for it goes on waiting."""

    #: Names what *encode* makes: the same name, the same bytes.
    form: str
    encode: Callable[[Chunk], bytes]
    direct: Direct


class Waiting(Protocol):
    @property
    def outlet(self) -> Outlet | None: ...

    def wake(self) -> None:
        """Wait no more: see what there is."""

    def finish(self, rest: bytes) -> None:
        """Wait no more, and write *rest* first."""

    def desist(self) -> None:
        """Wait no more, and do not come again: what there is cannot be written like this."""

    def close(self) -> None:
        """End: the client comes again."""


class _Row(NamedTuple):
    """Those whose news are the same bytes."""

    encode: Callable[[Chunk], bytes]
    framing: Callable[[bytes], bytes]
    writes: dict[Write, Waiting]


class Turn:
    """Those who have all there is and wait: they are written to without being woken.

    It is done soon and not now, so that what comes in the same turn of the loop is one chunk.
    They share a cursor, the chunk is made into bytes once, and of each of them nothing is
    touched but the call that writes: between a feed and a socket there are thirty objects, and
    to look at them again after a pause costs half of what the system call does.
    """

    __slots__ = ("_cursor", "_due", "_news", "_rows", "_seats")

    def __init__(self, news: Callable[[int], News | None]) -> None:
        self._news = news
        self._cursor = 0
        self._due = False
        self._rows: dict[tuple[str, Callable[[bytes], bytes]], _Row] = {}
        self._seats: dict[Waiting, Write] = {}

    def __len__(self) -> int:
        return len(self._seats)

    def __contains__(self, waiting: object) -> bool:
        return waiting in self._seats

    def join(self, waiting: Waiting, cursor: int) -> None:
        """Have *waiting*, which is at *cursor*, written to if that can be."""
        outlet = waiting.outlet
        if outlet is None or (self._seats and cursor != self._cursor):
            return
        write = outlet.direct.open(waiting.wake)
        if write is None:
            return
        self._cursor = cursor
        self._seats[waiting] = write
        key = outlet.form, outlet.direct.framing
        if key not in self._rows:
            self._rows[key] = _Row(outlet.encode, outlet.direct.framing, {})
        self._rows[key].writes[write] = waiting

    def leave(self, waiting: Waiting) -> int | None:
        """Have it not written to any more: the cursor it is at now, if it was."""
        write = self._seats.pop(waiting, None)
        if write is None:
            return None
        for key, row in self._rows.items():
            if row.writes.pop(write, None) is not None:
                if not row.writes:
                    del self._rows[key]
                break
        return self._cursor

    def stir(self) -> None:
        """Something is new."""
        if self._seats and not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        self._due = False
        news = self._news(self._cursor) if self._seats else None
        if news is None:
            for waiting in tuple(self._seats):
                waiting.wake()
            return
        ready = self._ready(news.chunk)
        # Who leaves from here on has it: what a socket does not take is written another way.
        self._cursor = news.chunk.last
        delivered.events.inc(len(self._seats) * len(news.chunk.envelopes))
        delivered.size.inc(len(self._seats) * news.chunk.size)
        for data, row in ready:
            self._write(data, row.writes)
        if not news.complete:
            self.stir()

    def _ready(self, chunk: Chunk) -> list[tuple[bytes, _Row]]:
        """What to write to whom."""
        ready = []
        for row in tuple(self._rows.values()):
            try:
                ready.append((row.framing(row.encode(chunk)), row))
            except Exception:  # it is nobody else's trouble
                logger.exception("Events could not be made into bytes.")
                for waiting in tuple(row.writes.values()):
                    waiting.desist()
        return ready

    def _write(self, data: bytes, writes: dict[Write, Waiting]) -> None:
        size = len(data)
        behind: dict[Waiting, int] = {}
        for write in writes:
            try:
                taken = write(data)
            except OSError:  # it is full, or lost
                taken = 0
            if taken != size:
                behind[writes[write]] = taken
        for waiting, taken in behind.items():
            try:
                waiting.finish(data[taken:])
            except Exception:  # one client's connection is no other's trouble
                logger.exception("News could not be written to a client.")
                waiting.close()
