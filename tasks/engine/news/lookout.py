"""Looking after the runs that somebody in this process waits for."""

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

import anyio
from django.db import connections

from tasks.conf import conf
from tasks.engine import store
from tasks.engine.metrics.trouble import Trouble
from tasks.engine.news.hearing import Hearing
from tasks.engine.news.wakers import others_hear
from tasks.engine.process.threads import DatabaseThread, see_off
from tasks.engine.store import Head
from tasks.events import shard_group

__all__ = ["Lookout"]

logger = logging.getLogger("headway.waiting")

_LINGER = 1.0  # seconds without anyone who waits, until threads and connections are let go
_GLANCE = 0.05  # seconds between two looks at whether SQLite's file has changed
_MOMENT = 0.01  # seconds: a short run that is executed here has ended by itself then
_PAUSE = 1.0  # seconds after a failure that nobody foresaw
_FINISHED = b'"type":"finished"'


class Lookout:
    """One loop in a thread of its own, however many wait; none while nobody does.

    It hears of events through the Channels layer, or by a change of SQLite's file, and
    compares all awaited runs with the database, in one query, every ``HEADWAY["POLL"]``
    seconds: what was not heard is found.
    """

    def __init__(
        self,
        awaited: Callable[[], Collection[UUID]],
        found: Callable[[Collection[UUID], Mapping[UUID, Head]], None],
        heard: Callable[[UUID, int, bool], None],
    ) -> None:
        self._awaited = awaited
        self._found = found
        self._heard = heard
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked = asyncio.Event()
        self._leaving = False
        self._version = 0

    def attend(self) -> None:
        """Somebody waits for another run. Any thread."""
        with self._lock:
            if self._loop is not None and self._thread is not None and self._thread.is_alive():
                self._loop.call_soon_threadsafe(self._asked.set)
                return
            self._loop, self._asked, self._leaving = (
                asyncio.new_event_loop(),
                asyncio.Event(),
                False,
            )
            self._thread = threading.Thread(
                target=self._run, args=(self._loop,), name="headway-lookout", daemon=True
            )
            self._thread.start()

    def rest(self) -> None:
        """Let go of threads and connections now, unless somebody waits. Any other thread."""
        with self._lock:
            thread, loop = self._thread, self._loop
            if loop is not None and not self._awaited():
                self._leaving = True
                loop.call_soon_threadsafe(self._asked.set)
        if thread is not None and self._leaving:
            see_off(thread)

    def forget(self) -> None:
        """In a process that was forked: the thread is the parent's."""
        self._lock, self._thread, self._loop = threading.Lock(), None, None

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.run_until_complete(self._serve())
        finally:
            loop.close()

    async def _serve(self) -> None:
        database = DatabaseThread("headway-lookout-reader")
        try:
            while True:
                try:
                    return await self._attend(database)
                except Exception:
                    logger.exception("Looking after runs failed; it begins again")
                    await asyncio.sleep(_PAUSE)
        finally:
            database.close()

    async def _attend(self, database: DatabaseThread) -> None:
        hearing = Hearing(self._hear) if others_hear() else None
        reading = Trouble("Reading how far a run is")
        async with anyio.create_task_group() as group:
            if hearing is not None:
                group.start_soon(hearing.listen)
            while await self._is_wanted():
                self._asked.clear()  # who comes from here on has all of this done again
                if hearing is not None:
                    await hearing.follow(self._groups())
                await anyio.sleep(_MOMENT)
                with reading:
                    await self._look(database)
                    await self._pause(database)
                if reading.lasts:
                    await anyio.sleep(reading.pause)
            group.cancel_scope.cancel()
        if hearing is not None:
            with anyio.move_on_after(_PAUSE):
                await hearing.follow(set())

    @property
    def _glances(self) -> bool:
        """Whether the database tells by itself that another process has written."""
        return connections[conf().database].vendor == "sqlite" and not others_hear()

    async def _is_wanted(self) -> bool:
        """Whether somebody waits, or comes within a while."""
        if self._awaited():
            return True
        self._asked.clear()
        if not self._leaving:
            with anyio.move_on_after(_LINGER):
                await self._asked.wait()
        with self._lock:
            if not self._awaited():
                self._loop = None
            return self._loop is not None

    async def _look(self, database: DatabaseThread) -> None:
        run_ids = self._awaited()
        if not run_ids:
            return
        if self._glances:  # before the runs: what is committed in between is seen then
            self._version = await database.call(store.data_version)
        self._found(run_ids, await database.call(store.heads, run_ids))

    async def _pause(self, database: DatabaseThread) -> None:
        """Until somebody new waits, the file has changed, or it is time to look again."""
        with anyio.move_on_after(conf().poll):
            while self._glances:
                with anyio.move_on_after(_GLANCE):
                    await self._asked.wait()
                # Nobody who does not wait has a query made.
                if self._asked.is_set() or not self._awaited():
                    return
                if await database.call(store.data_version) != self._version:
                    return
            await self._asked.wait()

    def _groups(self) -> set[str]:
        return {shard_group(run_id, conf().shards) for run_id in self._awaited()}

    def _hear(self, message: Mapping[str, Any]) -> None:
        for batch in message.get("batches", ()):
            envelopes: bytes = batch["envelopes"]
            newest = envelopes.rpartition(b"\n")[2]
            last_seq = batch["first"] + envelopes.count(b"\n")
            self._heard(UUID(batch["run"]), last_seq, _FINISHED in newest)
