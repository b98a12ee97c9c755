"""A watched list of runs: one client's place among what changes."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from time import monotonic
from typing import NamedTuple
from uuid import UUID

from consumers.access.sight import Sight
from consumers.feeds.bell import Bell
from consumers.feeds.follower import Signal
from consumers.feeds.listing import Plan, Shown
from consumers.feeds.lists import Lists
from consumers.refusal import Refusal
from tasks.engine.store import Horizon, Wanted

__all__ = ["ListWatcher", "Listed"]

logger = logging.getLogger("headway.watcher")

_PAGE = 100  # runs that are read at once


class Listed(NamedTuple):
    """Runs as they are now, one after the other as they changed; at the start, the newest first."""

    shown: Sequence[Shown]
    #: What the list has then; None while it is not whole, and more follows at once.
    horizon: Horizon | None
    #: For the first item alone: whether the list begins with the newest runs, or goes on.
    anew: bool | None = None


class ListWatcher:
    """Iterates over the states of the runs on a list: first what there is, then what changes.

    It goes on after *seen*, or begins with the newest *limit* runs. A run comes once with its
    present state, however often that changed since the list had it; one that is on the list
    no longer for its status comes once more. No run comes that may not be seen.

    While it waits it is two numbers and a future. While it reads, it has the ids of what it
    still has to read, and one page of it.
    """

    def __init__(
        self, lists: Lists, wanted: Wanted, sight: Sight, seen: Horizon | None, limit: int
    ) -> None:
        self._lists = lists
        self._wanted = wanted
        self._sight = sight
        self._seen = seen
        self._number = -1  # before whatever is kept
        self._limit = limit
        self._room = 0  # runs that still fit on a list that begins anew
        self._plan: Plan | None = None
        self._unread: list[UUID] = []
        self._begun = False
        self._over = False
        self._bell = Bell()
        self._said = monotonic()
        self._beat = False
        #: Called when it is over.
        self.let_go: Callable[[], None] | None = None
        lists.enter(self)

    def __aiter__(self) -> "ListWatcher":
        return self

    async def __anext__(self) -> Listed | Signal:
        await asyncio.sleep(0)  # see Watcher
        while not self._over:
            try:
                found = await self._next()
            except Exception:
                logger.exception("A list of runs cannot be read.")
                found = Signal.FAREWELL
            if found is Signal.FAREWELL:
                self.close()
            if found is not None:
                self._said, self._beat = monotonic(), False
                return found
        raise StopAsyncIteration

    def wake(self) -> None:
        """Something is new."""
        self._bell.ring()

    def beat(self, silent: float) -> None:
        """Say that the connection is alive if nothing was said for *silent* seconds."""
        if monotonic() - self._said >= silent:
            self._beat = True
            self.wake()

    @property
    def seen(self) -> Horizon | None:
        """What the list has, when it is whole."""
        return self._seen

    def close(self) -> None:
        """End the iteration. Safe to call twice."""
        self._over = True
        self._lists.leave(self)
        if self.let_go is not None:
            self.let_go()
        self.wake()

    def deny(self, refusal: Refusal) -> None:
        """Whoever watches may not any more; who comes again is told why."""
        self.close()

    async def _next(self) -> Listed | Signal | None:
        """What there is next. None: look again."""
        if self._plan is not None:
            return await self._page(self._plan)
        if self._lists.leaving:
            return Signal.FAREWELL
        if self._number < self._lists.tail or self._seen is None or self._number < 0:
            return await self._begin()
        if self._number < self._lists.number:
            return await self._follow()
        if self._beat:
            return Signal.HEARTBEAT
        await self._bell.wait()
        return None

    async def _begin(self) -> Listed | None:
        """Find out what to read: at the start, and when this list has fallen behind."""
        plan = await self._lists.runs.plan(self._wanted, self._sight, self._seen)
        self._plan, self._unread, self._room = plan, plan.run_ids[::-1], self._limit
        if self._begun and not plan.anew:
            return None
        self._begun = True
        return Listed((), None, plan.anew)

    async def _page(self, plan: Plan) -> Listed | None:
        run_ids = [self._unread.pop() for _ in range(min(_PAGE, len(self._unread)))]
        read = await self._lists.runs.fetch(run_ids) if run_ids else []
        belongs = self._wanted.has if plan.anew else self._wanted.touches
        # What has changed since the plan was made comes with the next look.
        shown = await self._visible(
            [item for item in read if belongs(item.run) and plan.horizon.sees(item.run.changed)]
        )
        if plan.anew:
            shown = shown[: self._room]
            self._room -= len(shown)
        if self._unread and (self._room or not plan.anew):
            return Listed(shown, None) if shown else None
        self._unread.clear()
        self._plan, self._number, self._seen = None, plan.number, plan.horizon
        return Listed(shown, plan.horizon)

    async def _follow(self) -> Listed | None:
        number, horizon = self._lists.number, self._lists.horizon
        shown = [
            item
            for item in self._lists.after(self._number)
            if self._wanted.touches(item.run)
            # A look that came after this list's own reading may go back before it.
            and not (self._seen and self._seen.sees(item.run.changed))
        ]
        shown = await self._visible(shown)
        self._number, self._seen = number, horizon
        return Listed(shown, horizon) if shown else None

    async def _visible(self, shown: Sequence[Shown]) -> list[Shown]:
        may = {run.pk for run in await self._sight.see([item.run for item in shown])}
        return [item for item in shown if item.run.pk in may]
