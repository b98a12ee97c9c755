"""The log of runs as the database has it."""

from collections.abc import Collection, Iterable
from uuid import UUID

from consumers.feeds.chunk import CHUNK_BYTES, fitting
from consumers.feeds.replay import Page, Progress
from tasks.engine import store
from tasks.engine.process.threads import DatabaseThread
from tasks.events import Event, envelope
from tasks.states import TERMINAL

__all__ = ["StoredLog", "read_page"]

# Rows read to learn how large this run's events are: events of the largest size must
# not fill the memory by the hundred.
_PROBE = 32


class StoredLog:
    """Reads in two threads: a long replay must not hold up the reconciliation."""

    def __init__(self) -> None:
        self._pages = DatabaseThread("headway-replay")
        self._heads = DatabaseThread("headway-hub")

    async def read(self, run_id: UUID, after: int, limit: int) -> Page:
        return await self._pages.call(read_page, run_id, after, limit)

    async def progress(self, run_ids: Collection[UUID]) -> dict[UUID, Progress]:
        heads = await self._heads.call(store.heads, run_ids)
        return {
            run_id: Progress(head.last_seq, head.status in TERMINAL)
            for run_id, head in heads.items()
        }

    async def keep(self, run_ids: Collection[UUID]) -> None:
        await self._heads.call(store.keep, run_ids)

    def close(self) -> None:
        self._pages.close()
        self._heads.close()


def read_page(run_id: UUID, after: int, limit: int) -> Page:
    """Up to *limit* events after seq *after*, and up to ``CHUNK_BYTES``; at least one."""
    asked = min(limit, _PROBE)
    envelopes = _encode(run_id, store.read_events(run_id, after, asked))
    if len(envelopes) == asked < limit:
        size = sum(map(len, envelopes))
        more = min(limit - asked, max(0, CHUNK_BYTES - size) * asked // size)
        if more:
            envelopes += _encode(run_id, store.read_events(run_id, after + asked, more))
            asked += more
    count = fitting(envelopes)
    return Page(envelopes[:count], full=len(envelopes) == asked)


def _encode(run_id: UUID, events: Iterable[Event]) -> list[bytes]:
    text = str(run_id)
    return [envelope(text, event).encode() for event in events]
