"""Whatever happens between them, each subscription of a page gets exactly the log.

The world of ``test_delivery``, and in it pages that subscribe and unsubscribe on one socket,
often before they have the answer to the last command, stall, and leave. A page takes every
event between the answers to ``subscribe`` and ``unsubscribe``, or ``ended``, for that
subscription's, and none may come outside.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from consumers.streams import bundlesocket
from tasks.models import TaskRun

from ..fakes import envelope_of
from ..feeds.test_delivery import RUNS, Delivery, runs, small_world
from ..feeds.worldmachine import play, toggle, turns
from .pages import Page, PageWorld

__all__ = ["small_world"]

indexes = st.integers(0, 2)


class Subscribing(Delivery):
    """The rules of the world, and those of pages."""

    def __init__(self) -> None:
        super().__init__(PageWorld)
        assert isinstance(self.world, PageWorld)
        self.pages = self.world
        _worlds.append(self.world)

    @initialize(batched=st.lists(st.booleans(), min_size=1, max_size=2))
    def open_some(self, batched: list[bool]) -> None:
        for one in batched:
            self.pages.open(one)
        for page in self.pages.pages:
            for run in RUNS:
                page.say("subscribe", run)
        self.pages.turn(10)

    @precondition(lambda self: len(self.pages.pages) < 3)
    @rule(batched=st.booleans())
    def open_page(self, batched: bool) -> None:
        self.pages.open(batched)

    @precondition(lambda self: self.pages.pages)
    @rule(page=indexes, run=runs, ago=st.integers(-1, 12), turns=turns)
    def subscribe(self, page: int, run: UUID, ago: int, turns: int) -> None:
        last = len(self.world.log.runs[run])
        self._page(page).say("subscribe", run, max(0, last - ago) if ago >= 0 else "latest")
        self.world.turn(turns)

    @precondition(lambda self: self.pages.pages)
    @rule(page=indexes, run=runs, turns=turns)
    def unsubscribe(self, page: int, run: UUID, turns: int) -> None:
        self._page(page).say("unsubscribe", run)
        self.world.turn(turns)

    @precondition(lambda self: self.pages.pages)
    @rule(page=indexes, run=runs, ago=st.integers(0, 12), turns=turns)
    def resubscribe(self, page: int, run: UUID, ago: int, turns: int) -> None:
        self._page(page).say("unsubscribe", run)
        last = len(self.world.log.runs[run])
        self._page(page).say("subscribe", run, max(0, last - ago))
        self.world.turn(turns)

    @precondition(lambda self: self.pages.pages)
    @rule(page=indexes, turns=turns)
    def stall_or_read_on_a_page(self, page: int, turns: int) -> None:
        toggle(self._page(page))
        self.world.turn(turns)

    @precondition(lambda self: self.pages.pages)
    @rule(page=indexes, run=runs, count=st.integers(2, 6), ago=st.none() | st.integers(0, 12))
    def cross(self, page: int, run: UUID, count: int, ago: int | None) -> None:
        """Commands come while events are under way, to a page that is slow to take them."""
        here = self._page(page)
        here.reading.clear()
        self.world.emit(run, count, finish=False)
        if self.world.flying:
            self.world.deliver(-1, keep=False)
        self.world.turn(3)
        here.say("unsubscribe", run)
        if ago is not None:
            here.say("subscribe", run, max(0, len(self.world.log.runs[run]) - ago))
        self.world.turn(10)
        here.reading.set()
        self.world.turn(3)

    @precondition(lambda self: self.pages.pages)
    @rule(page=indexes)
    def leave_page(self, page: int) -> None:
        self.pages.close_page(page % len(self.pages.pages))

    def _page(self, index: int) -> Page:
        return self.pages.pages[index % len(self.pages.pages)]


_worlds: list[PageWorld] = []


def _here(function: Callable[[TaskRun], Any]) -> Callable[[TaskRun], Awaitable[Any]]:
    async def called(run: TaskRun) -> Any:
        return function(run)

    return called


def _snapshot(run: TaskRun) -> bytes:
    return envelope_of(run.pk, run.last_seq, "snapshot")


@pytest.mark.usefixtures("small_world")
def test_every_subscription_gets_exactly_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundlesocket, "get_hub", lambda: _worlds[-1].hub)
    monkeypatch.setattr(bundlesocket, "database_sync_to_async", _here)
    monkeypatch.setattr(bundlesocket, "keep", lambda run: None)
    monkeypatch.setattr(bundlesocket, "snapshot_envelope", _snapshot)
    play(Subscribing, games=100)
