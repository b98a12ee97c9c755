"""Reading a run's log, and following it to its end."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async

from tasks.codec import decode
from tasks.engine import store
from tasks.engine.news import waiting
from tasks.events import FINISHED
from tasks.exceptions import RunDoesNotExist
from tasks.states import TERMINAL

__all__ = ["RunEvent", "afollow", "aread", "check_after", "follow", "read"]

_PAGE = 100  # events: each may have HEADWAY["EVENT_BYTES"]


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One entry of a run's log."""

    #: 1, 2, 3 … without a hole.
    seq: int
    type: str
    at: datetime
    data: Any


def check_after(after: object) -> None:
    if not isinstance(after, int) or isinstance(after, bool) or after < 0:
        raise ValueError(f"after is the seq of an event, or 0 for all, not {after!r}.")


def read(run_id: UUID, after: int) -> Iterator[RunEvent]:
    """The events above *after* that there are now; :class:`RunDoesNotExist`."""
    last, _ = _head(run_id)
    while after < last:
        for event in _page(run_id, after, last):
            yield event
            after = event.seq


async def aread(run_id: UUID, after: int) -> AsyncIterator[RunEvent]:
    """See :func:`read`."""
    last, _ = await sync_to_async(_head)(run_id)
    while after < last:
        for event in await sync_to_async(_page)(run_id, after, last):
            yield event
            after = event.seq


def follow(run_id: UUID, after: int) -> Iterator[RunEvent]:
    """The events above *after*, also those to come; ends after ``finished``.

    What it yields is read from the log, in order: news only say when. It waits as
    :mod:`tasks.engine.news.waiting` has it, without a query of its own.
    """
    with waiting.watching(run_id, after) as signal:
        for _ in signal.blocking():
            while page := _next_page(run_id, after):
                for event in page:
                    signal.after = after = event.seq
                    yield event
                    if event.type == FINISHED:
                        return
            if page is None:
                return


async def afollow(run_id: UUID, after: int) -> AsyncIterator[RunEvent]:
    """See :func:`follow`."""
    with waiting.watching(run_id, after) as signal:
        async for _ in signal.waiting():
            while page := await sync_to_async(_next_page)(run_id, after):
                for event in page:
                    signal.after = after = event.seq
                    yield event
                    if event.type == FINISHED:
                        return
            if page is None:
                return


def _page(run_id: UUID, after: int, last: int) -> list[RunEvent]:
    found = store.read_events(run_id, after, min(_PAGE, last - after))
    if not found:
        raise RunDoesNotExist(f"The run {run_id} was deleted.")
    return [RunEvent(event.seq, event.type, event.at, decode(event.data)) for event in found]


def _next_page(run_id: UUID, after: int) -> list[RunEvent] | None:
    """What follows *after*; nothing yet: an empty list; nothing ever: None."""
    last, over = _head(run_id)
    if after < last:
        return _page(run_id, after, last)
    return None if over else []


def _head(run_id: UUID) -> tuple[int, bool]:
    head = store.heads([run_id]).get(run_id)
    if head is None:
        raise RunDoesNotExist(f"There is no run {run_id}.")
    return head.last_seq, head.status in TERMINAL
