"""The hub: what one process hears of events, for all who watch in it."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import anyio

from consumers import delivered
from consumers.access.rights import Rights
from consumers.feeds.bundle import Bundle
from consumers.feeds.feed import Feed
from consumers.feeds.lists import Lists
from consumers.feeds.listwatcher import ListWatcher
from consumers.feeds.memory import Memory
from consumers.feeds.pulse import Beating, beat, keep
from consumers.feeds.replay import Log, Replay
from consumers.feeds.watcher import Watcher
from consumers.refusal import Refusal
from tasks.conf import conf
from tasks.engine.metrics.trouble import Trouble
from tasks.engine.news.hearing import Hearing
from tasks.events import shard_group

if TYPE_CHECKING:
    from consumers.access.admission import Admission
    from consumers.access.sight import Sight
    from consumers.feeds.listing import Runs
    from tasks.engine.store import Horizon, Wanted
    from tasks.models import TaskRun

__all__ = ["Hub", "get_hub"]

logger = logging.getLogger("headway.hub")

_TICK = 1.0  # seconds between looks at memberships


class Hub:
    """Feeds of the watched runs, fed by the Channels layer and checked against the log.

    What the layer does not bring, the reconciliation finds: the layer is only latency.
    """

    def __init__(self, log: Log, runs: "Runs | None" = None) -> None:
        #: Set while the hub listens.
        self.ready = asyncio.Event()
        self.replay = Replay(log, conf().replay_bytes)
        self.bundles: set[Bundle] = set()
        self.lists = Lists(runs)
        self.rights = Rights()
        self._log = log
        self.memory = Memory(conf().feeds_bytes)
        self._feeds: dict[str, Feed] = {}
        self._new: list[Feed] = []
        self._opened = asyncio.Event()
        self._looking = asyncio.Event()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def watched(self) -> int:
        """How many runs are watched."""
        return len(self._feeds)

    def audience(self) -> dict[UUID, int]:
        """How many watch each run here."""
        return {feed.run_id: len(feed.listeners) for feed in self._feeds.values()}

    async def serve(self) -> None:
        """Listen until cancelled. A failing layer or database is waited out."""
        hearing = Hearing(self._deliver)
        self._loop = asyncio.get_running_loop()
        self._new = list(self._feeds.values())
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(hearing.listen, name="hub: listen")
                group.start_soon(self._follow, hearing, name="hub: follow")
                group.start_soon(self._check, name="hub: check")
                group.start_soon(beat, self._beating, name="hub: beat")
                group.start_soon(keep, self._feeds.values(), self._log, name="hub: keep")
                group.start_soon(self.lists.serve, name="hub: lists")
                group.start_soon(self.rights.serve, name="hub: rights")
                self.ready.set()
        finally:
            self.ready.clear()
            self._log.close()
            self.lists.release()
            with anyio.move_on_after(_TICK, shield=True):
                await hearing.follow(set())

    def close(self) -> None:
        """Tell every watcher, and all that still come, to reconnect elsewhere. Idempotent."""
        self._closed = True
        for feed in self._feeds.values():
            feed.close()
        for bundle in self.bundles:
            bundle.leave()
        self.lists.close()

    def watch(
        self,
        run: "TaskRun",
        cursor: int,
        transport: str = "",
        admission: "Admission | None" = None,
    ) -> Watcher:
        """Watch a run, as just read from the database, after *cursor*, while *admission* lasts."""
        watcher = Watcher(self.enter(run), self.replay, cursor, self.leave, transport)
        self.rights.bind(watcher, admission)
        return watcher

    def bundle(self, transport: str = "") -> Bundle:
        """Watch several runs for one client; none yet."""
        self._check_loop()
        bundle = Bundle(self, transport)
        self.bundles.add(bundle)
        if self._closed:
            bundle.leave()
        return bundle

    def watch_list(
        self,
        wanted: "Wanted",
        sight: "Sight",
        seen: "Horizon | None",
        limit: int,
        admission: "Admission | None" = None,
    ) -> ListWatcher:
        """Watch a list of runs; see there."""
        self._check_loop()
        self._opened.set()
        watcher = ListWatcher(self.lists, wanted, sight, seen, limit)
        self.rights.bind(watcher, admission)
        return watcher

    def enter(self, run: "TaskRun") -> Feed:
        """The feed of a run, for a follower to be made at once; :meth:`leave` is its end.

        It is open before anything is awaited, and the log is compared again once the layer
        is heard: whatever happens in between, one of the two has it.
        """
        self._check_loop()
        feed = self._feeds.get(str(run.pk)) or self._open(run.pk)
        feed.note(run.last_seq, run.is_finished)
        return feed

    def leave(self, feed: Feed) -> None:
        """Forget the feed if nobody follows it any more."""
        if not feed.listeners and self._feeds.pop(str(feed.run_id), None) is not None:
            delivered.feeds.dec()
            self.memory.leave(feed)

    def look(self) -> None:
        """Compare all feeds with the log soon: something may have been written."""
        self._looking.set()
        self.lists.hear()

    async def reconcile(self, feeds: Iterable[Feed]) -> None:
        """Compare feeds with the log; watchers of one that lags read there what it lacks."""
        behind = {feed.run_id: feed for feed in feeds if not feed.finished}
        if not behind:
            return
        found = await self._log.progress(behind)
        for run_id, feed in behind.items():
            if run_id in found:
                delivered.gaps.inc(found[run_id].last_seq > feed.head)
                feed.note(*found[run_id])
            else:
                feed.vanish()

    def _open(self, run_id: UUID) -> Feed:
        group = shard_group(run_id, conf().shards)
        feed = Feed(run_id, group, conf().feed_bytes, self.memory)
        self._feeds[str(run_id)] = feed
        delivered.feeds.inc()
        self._new.append(feed)
        self._opened.set()
        if self._closed:
            feed.close()
        return feed

    def _check_loop(self) -> None:
        if self._loop is not asyncio.get_running_loop():
            message = "Events are streamed by an ASGI server with Headway's hub running."
            raise Refusal(503, "not_serving", message, {"Retry-After": "1"})

    def _deliver(self, message: Mapping[str, Any]) -> None:
        heard = 0
        if "batches" not in message:
            self.lists.understand(message)
        for batch in message.get("batches", ()):
            if feed := self._feeds.get(batch["run"]):
                feed.offer(batch["first"], batch["envelopes"].split(b"\n"))
                heard = message.get("at", 0)
        delivered.flushing(heard)

    async def _follow(self, hearing: Hearing) -> None:
        reading = Trouble("Reading how far a run is")
        while True:
            new, self._new = self._new, []
            self._opened.clear()
            await hearing.follow(self._groups())
            with reading:
                await self.reconcile(new)
            with anyio.move_on_after(_TICK):
                await self._opened.wait()

    def _groups(self) -> set[str]:
        followed = {feed.group for feed in self._feeds.values() if not feed.finished}
        return followed | self.lists.groups

    async def _check(self) -> None:
        trouble = Trouble("Comparing watched runs with the database")
        while True:
            with anyio.move_on_after(conf().reconcile):
                await self._looking.wait()
            self._looking.clear()
            with trouble:
                await self.reconcile(list(self._feeds.values()))

    def _beating(self) -> list[Beating]:
        return [*self._feeds.values(), *self.bundles, self.lists]


@cache
def get_hub() -> Hub:
    """The hub of this process."""
    # Reading needs models, and this module is imported before there are any.
    from consumers.feeds.log import StoredLog
    from consumers.feeds.storedruns import StoredRuns

    return Hub(StoredLog(), StoredRuns())
