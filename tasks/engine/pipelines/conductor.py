"""Taking pipelines further: when a stage has ended, and when nobody has noticed that it has."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from uuid import UUID

from django.db import DatabaseError, InterfaceError

from tasks.definition import registry
from tasks.engine import store
from tasks.engine.attempts.attempt import Attempt
from tasks.engine.pipelines.course import Course, courses
from tasks.engine.process.threads import DatabaseThread
from tasks.engine.store.pipelines import owner

__all__ = ["PIPELINE_TASK", "Conductor", "behind", "busy", "conduct", "follow", "led_by", "note"]

logger = logging.getLogger("headway.pipelines")

#: Module path of the task whose runs are pipelines.
PIPELINE_TASK = "tasks.pipelines.run.pipeline"

_EVERY = 5.0  # seconds between two looks, about
_AT_ONCE = 200  # pipelines read with one statement

_current: "Conductor | None" = None
_lead: Callable[[UUID], None] | None = None


def led_by(lead: Callable[[UUID], None]) -> None:
    """Have *lead* take a pipeline further: it enqueues stages, a floor above the engine."""
    global _lead
    _lead = lead


def follow(attempt: Attempt) -> None:
    """Have the pipeline that *attempt* is of, if it is of any, taken further when it ends."""
    claim = attempt.claim
    concerned = claim.run_id if claim.task == PIPELINE_TASK else owner(claim.unique_key)
    conductor = _current
    if concerned is not None and conductor is not None:
        attempt.settled.add_done_callback(lambda _: conductor.note([concerned]))


def note(run_ids: Iterable[UUID]) -> None:
    """Something has happened in these pipelines. From the loop."""
    if _current is not None:
        _current.note(run_ids)


def conduct(run_id: UUID) -> None:
    """Take a pipeline further as far as it goes now. Any thread that may query.

    Anyone may call it at any time: it does what is still to be done, once.
    """
    if _lead is None:
        registry.resolve(PIPELINE_TASK)  # its module calls led_by()
    if _lead is None:
        raise RuntimeError(f"{PIPELINE_TASK} was imported, and nobody leads pipelines.")
    _lead(run_id)


def busy() -> bool:
    """Whether this process is about to take a pipeline further."""
    return _current is not None and _current.busy


class Conductor:
    """Does so for what ends here, at once; and looks every few seconds for what it missed.

    A stage may have been ended by a process that died a moment later, or by one of an earlier
    release. What is looked for is bounded by the pipelines there are, not by who waits.
    """

    def __init__(self) -> None:
        self._due: dict[UUID, None] = {}
        self._news = asyncio.Event()
        self._working = False

    @property
    def busy(self) -> bool:
        return self._working or bool(self._due)

    def note(self, run_ids: Iterable[UUID]) -> None:
        """Something has happened in these pipelines. From the loop."""
        for run_id in run_ids:
            self._due[run_id] = None
            self._news.set()

    async def serve(self) -> None:
        global _current
        _current = self
        thread = DatabaseThread("headway-conductor")
        try:
            while True:
                self.note(await thread.call(behind))
                next_look = time.monotonic() + random.uniform(0.5, 1.5) * _EVERY
                while (left := next_look - time.monotonic()) > 0 or self._due:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._news.wait(), max(0.0, left))
                    await self._work(thread)
        finally:
            thread.close()

    async def _work(self, thread: DatabaseThread) -> None:
        self._news.clear()
        self._working = True
        try:
            for run_id in list(self._due):
                del self._due[run_id]  # what is noted from here on is news
                await self._conduct(thread, run_id)
        finally:
            self._working = False

    async def _conduct(self, thread: DatabaseThread, run_id: UUID) -> None:
        try:
            await thread.call(conduct, run_id)
        except (DatabaseError, InterfaceError):
            self.note([run_id])
            raise
        except Exception:
            logger.exception("Pipeline %s cannot go on at the moment", run_id)


def behind() -> list[UUID]:
    """Pipelines in which something has happened that their logs do not tell."""
    found: list[UUID] = []
    after: UUID | None = None
    while page := store.resting(after, _AT_ONCE):
        found += _behind(page)
        after = list(page)[-1]
    return found


def _behind(page: Mapping[UUID, str]) -> list[UUID]:
    told = courses(store.stage_events(list(page)))
    live = [run for course in told.values() for run in course.live.values()]
    runs = store.stage_runs(live)
    return [
        run_id for run_id, request in page.items() if told.get(run_id, Course()).lags(runs, request)
    ]
