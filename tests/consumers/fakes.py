"""A log and a Channels layer whose order and failures the test decides."""

import asyncio
from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from channels.layers import BaseChannelLayer

from consumers.feeds.replay import Page, Progress
from tasks.events import Event, LayerBatch, envelope, layer_message

__all__ = ["FakeLayer", "FakeLog", "batch", "envelope_of", "seqs"]

_AT = datetime(2026, 11, 21, tzinfo=UTC)


def envelope_of(run_id: UUID, seq: int, type_: str = "step") -> bytes:
    return envelope(run_id, Event(seq, type_, _AT, "null")).encode()


def batch(run_id: UUID, first: int, envelopes: list[bytes]) -> LayerBatch:
    return {"run": str(run_id), "first": first, "envelopes": b"\n".join(envelopes)}


def seqs(first: int, last: int) -> list[int]:
    return list(range(first, last + 1))


class FakeLog:
    """Committed envelopes of some runs.

    While :attr:`gated`, a read waits for :meth:`release`, which also decides whether it
    saw the log as it was when asked or as it is by then: a real one may be either.
    """

    def __init__(self) -> None:
        self.runs: dict[UUID, list[bytes]] = {}
        self.finished: set[UUID] = set()
        self.gated = False
        self.kept: list[set[UUID]] = []
        self.reads: list[tuple[UUID, int]] = []
        self.failing: Exception | None = None
        self._gates: list[asyncio.Future[Literal["then", "now"]]] = []

    def emit(self, run_id: UUID, count: int = 1, finish: bool = False) -> LayerBatch:
        """Commit *count* events; what the journal then publishes."""
        log = self.runs.setdefault(run_id, [])
        first = len(log) + 1
        types = ["step"] * (count - 1) + ["finished" if finish else "step"]
        fresh = [envelope_of(run_id, first + i, type_) for i, type_ in enumerate(types)]
        log += fresh
        if finish:
            self.finished.add(run_id)
        return batch(run_id, first, fresh)

    @property
    def waiting(self) -> int:
        """Reads under way."""
        return len(self._gates)

    def release(self, index: int = 0, sees: Literal["then", "now"] = "now") -> None:
        gate = self._gates.pop(index)
        if not gate.done():
            gate.set_result(sees)

    async def read(self, run_id: UUID, after: int, limit: int) -> Page:
        self.reads.append((run_id, after))
        page: Page = await self._gate(lambda: self._page(run_id, after, limit))
        return page

    async def progress(self, run_ids: Collection[UUID]) -> dict[UUID, Progress]:
        wanted = list(run_ids)
        found: dict[UUID, Progress] = await self._gate(
            lambda: {
                run_id: Progress(len(self.runs[run_id]), run_id in self.finished)
                for run_id in wanted
                if run_id in self.runs
            }
        )
        return found

    async def keep(self, run_ids: Collection[UUID]) -> None:
        self.kept.append(set(run_ids))

    def close(self) -> None:
        pass

    def _page(self, run_id: UUID, after: int, limit: int) -> Page:
        found = self.runs.get(run_id, [])[after : after + limit]
        return Page(found, full=len(found) == limit)

    async def _gate(self, look: Any) -> Any:
        then = look()
        if self.gated:
            gate: asyncio.Future[Literal["then", "now"]] = (
                asyncio.get_running_loop().create_future()
            )
            self._gates.append(gate)
            if await gate == "now":
                then = look()
        if self.failing is not None:
            raise self.failing
        return then


class FakeLayer(BaseChannelLayer):
    """A layer that does what it is told: nothing is delivered but by :meth:`deliver`."""

    def __init__(self) -> None:
        super().__init__()
        self.groups: dict[str, set[str]] = defaultdict(set)
        self.failing: Exception | None = None
        self.channels = 0
        self._queue: asyncio.Queue[dict[str, Any] | Exception] = asyncio.Queue()

    async def new_channel(self) -> str:
        await asyncio.sleep(0)  # as one that asks a server
        self.channels += 1
        return f"fake!{self.channels}"

    async def group_add(self, group: str, channel: str) -> None:
        if self.failing is not None:
            raise self.failing
        self.groups[group].add(channel)

    async def group_discard(self, group: str, channel: str) -> None:
        self.groups[group].discard(channel)

    async def receive(self, channel: str) -> dict[str, Any]:
        found = await self._queue.get()
        if isinstance(found, Exception):
            raise found
        return found

    def joined(self, group: str) -> bool:
        return bool(self.groups[group])

    def deliver(self, *batches: LayerBatch) -> None:
        self._queue.put_nowait(dict(layer_message(batches)))

    def fail(self, error: Exception) -> None:
        """Let the receive that is under way raise."""
        self._queue.put_nowait(error)
