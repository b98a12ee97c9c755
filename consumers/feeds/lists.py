"""The lists of runs that are watched in this process, and what is new for all of them."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import anyio

from consumers import delivered
from consumers.feeds.listing import Look, Runs, Shown
from tasks.conf import conf
from tasks.engine.metrics.trouble import Trouble
from tasks.engine.news import tidings
from tasks.engine.news.wakers import News
from tasks.engine.store import Horizon

if TYPE_CHECKING:
    from consumers.feeds.listwatcher import ListWatcher

__all__ = ["Lists"]

_AT_MOST_EVERY: Final = 0.05  # seconds between two looks, however much is heard
_KEPT = 256  # runs that have changed, for those who are about to write them


class Lists:
    """Looks for what has changed, once for all lists, while there are any.

    After each look, the newest states of the runs that changed lie here, in the order in
    which they were seen. A list has its place among them, and reads by itself what is here
    no more. What is heard on the layer only makes it look at once.
    """

    def __init__(self, runs: Runs | None) -> None:
        self._runs = runs
        self.watchers: set[ListWatcher] = set()
        #: The process goes away.
        self.leaving = False
        #: That of the last look, and what it saw.
        self.number = 0
        self.horizon: Horizon | None = None
        #: Who is before this one must read by itself.
        self.tail = 0
        self._newest: OrderedDict[UUID, tuple[int, Shown]] = OrderedDict()
        self._heard = asyncio.Event()
        self._asked = 0.0

    @property
    def runs(self) -> Runs:
        assert self._runs is not None, "This hub has no lists."
        return self._runs

    @property
    def groups(self) -> frozenset[str]:
        """Where to listen for what makes :meth:`hear` worth a call."""
        return tidings.GROUPS if self.watchers else frozenset()

    def enter(self, watcher: "ListWatcher") -> None:
        self.watchers.add(watcher)
        delivered.lists.inc()
        self._heard.set()

    def leave(self, watcher: "ListWatcher") -> None:
        if watcher in self.watchers:
            self.watchers.remove(watcher)
            delivered.lists.dec()

    def hear(self) -> None:
        """Look now: something may have changed."""
        if self.watchers:
            self._heard.set()

    def understand(self, message: Mapping[str, Any]) -> None:
        """Take a message of one of the :attr:`groups`."""
        if message.get("news", News.RUN) == News.RUN:
            self.hear()

    def close(self) -> None:
        """Tell every list to go elsewhere."""
        self.leaving = True
        for watcher in self.watchers:
            watcher.wake()

    def beat(self, silent: float) -> None:
        for watcher in self.watchers:
            watcher.beat(silent)

    def after(self, number: int) -> list[Shown]:
        """What was seen by later looks than that, each run once."""
        found: list[Shown] = []
        for seen, shown in reversed(self._newest.values()):
            if seen <= number:
                break
            found.append(shown)
        return found[::-1]

    async def serve(self) -> None:
        """Look until cancelled. A failing database is waited out."""
        trouble = Trouble("Looking for changes of listed runs")
        while True:
            if not self.watchers:
                self._forget()
                await self._heard.wait()
            self._heard.clear()
            if time.monotonic() - self._asked >= tidings.RENEWED:
                tidings.ask()
                self._asked = time.monotonic()
            with trouble:
                self.take(await self.runs.look(self.horizon))
            await asyncio.sleep(max(_AT_MOST_EVERY, trouble.pause if trouble.lasts else 0))
            with anyio.move_on_after(conf().reconcile):
                await self._heard.wait()

    def take(self, look: Look) -> None:
        """Keep what a look has found, and tell the lists."""
        self.number = look.number
        if look.shown is None or self.horizon is None:
            self._newest.clear()
            self.tail = look.number
        self.horizon = look.horizon
        for shown in look.shown or ():
            self._newest.pop(shown.run.pk, None)
            self._newest[shown.run.pk] = look.number, shown
        while len(self._newest) > _KEPT:
            _, (self.tail, _) = self._newest.popitem(last=False)
        if look.shown is None or look.shown:
            for watcher in self.watchers:
                watcher.wake()

    def release(self) -> None:
        """Let go of the database, until there is something to be read again."""
        if self._runs is not None:
            self._runs.close()

    def _forget(self) -> None:
        self._newest.clear()
        self.horizon = None
        self._asked = 0.0
