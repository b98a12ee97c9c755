"""The context a task receives: its voice to whoever watches, and its ear for a stop.

An async task gets a :class:`Context` and awaits its methods; a sync one gets a
:class:`SyncContext`, whose methods block where the other's would wait.
"""

import logging
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import anyio
import anyio.lowlevel

from tasks.codec import decode
from tasks.compat import TaskContext, TaskResult
from tasks.engine.attempts.inbox import Inbox
from tasks.events import LOG, PROGRESS, check_type
from tasks.surroundings.circumstances import user_key
from tasks.surroundings.tracking import Meter

if TYPE_CHECKING:
    from tasks.engine.attempts.attempt import Attempt
    from tasks.engine.writing.journal import Journal

__all__ = ["Context", "SyncContext"]

T = TypeVar("T")

_YIELD_AFTER = 0.005  # seconds a tracked sync iterable may keep the event loop

logger = logging.getLogger("headway.task")


class _Context(TaskContext):  # type: ignore[type-arg]
    """What both contexts know."""

    # The framework's context is a frozen dataclass made from a TaskResult; building one
    # for every run would cost more than many a task, so it is made when asked for.
    __slots__ = ("_attempt", "_journal")

    _attempt: "Attempt"
    _journal: "Journal"

    def __init__(self, attempt: "Attempt", journal: "Journal") -> None:
        object.__setattr__(self, "_attempt", attempt)
        object.__setattr__(self, "_journal", journal)

    @property
    def task_result(self) -> TaskResult:  # type: ignore[type-arg, override]
        """The run as Django's Tasks framework describes it, read from the database now.

        It queries; in an async task use ``await tasks.get_handle`` in a thread instead.
        """
        from tasks.handles import get_handle

        return get_handle(self._attempt.claim.run_id)

    @property
    def run_id(self) -> UUID:
        return self._attempt.claim.run_id

    @property
    def queue_name(self) -> str:
        return self._attempt.claim.queue_name

    @property
    def attempt(self) -> int:
        """Number of this try, from 1."""
        return self._attempt.claim.attempt

    @property
    def request_id(self) -> str | None:
        """Of the request in which the run was enqueued, if it had one."""
        return self._attempt.origin.request_id

    @property
    def user_id(self) -> Any:
        """Primary key of the user to whom the run belonged when it was enqueued, or None."""
        return user_key(self._attempt.origin.user_id)

    @property
    def cancel_requested(self) -> bool:
        """True once the run was asked to end, ran out of time, or its process is going away.

        A sync function looks at it and returns; a coroutine is cancelled anyway.
        """
        return self._attempt.ending

    @property
    def watchers(self) -> int:
        """How many watch the run, as of a few seconds ago; 0 when you ask for the first time.

        From then on it is looked for every three seconds, for all runs of the process at once.
        """
        self._attempt.curious = True
        return self._attempt.watchers

    def _inbox(self) -> Inbox:
        # Not at import: it reads models, which may be imported only once apps are ready.
        from tasks.engine import control

        if (found := self._attempt.inbox) is None:
            self._attempt.listen(found := Inbox())
            control.listen()
        return found

    def _append(self, type_: str, data: object) -> None:
        self._journal.append(self._attempt, type_, data)


def _progress(done: float, total: float | None, message: str) -> dict[str, Any]:
    return {"done": done, "total": total, "message": message}


def _log(message: str, level: str) -> dict[str, Any]:
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"{level!r} is no log level: use debug, info, warning, error or critical.")
    logger.log(number, "%s", message)
    return {"level": level.lower(), "message": message}


class Context(_Context):
    """The context of an async task."""

    __slots__ = ()

    async def emit(self, type_: str, data: object = None) -> None:
        """Add an event to the run's log. Waits only while the journal is full.

        Raises :class:`InvalidEvent` or :class:`InvalidValue`; then nothing is added.
        """
        self._append(check_type(type_), data)
        if self._journal.full:
            await self._journal.room()

    async def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Say how far the run is; the newest progress is kept on the run too."""
        await self.emit(PROGRESS, _progress(done, total, message))

    async def log(self, message: str, level: str = "info") -> None:
        """Write a line for whoever watches, and to the logger ``headway.task``."""
        await self.emit(LOG, _log(message, level))

    async def append(self, text: str) -> None:
        """Add to the text of the run, such as a model's tokens: ``append`` events.

        The first leaves at once, and what follows it within ``HEADWAY["APPEND"]`` seconds
        leaves together. The data of all of them, one after the other, is the text.
        """
        self._journal.append_text(self._attempt, text)
        if self._journal.full:
            await self._journal.room()

    async def flush(self) -> None:
        """Wait until all that was emitted is committed."""
        await self._journal.flush(self._attempt)

    async def receive(self, timeout: float | None = None) -> Any:
        """Wait for the next message to the run, in the order in which they were sent.

        Each attempt receives all messages from the first on: what an earlier one has done with
        them is for the task to know. ``TimeoutError`` after *timeout* seconds; the message
        that comes later is not lost.
        """
        return decode(await self._inbox().get(timeout))

    async def track(
        self,
        iterable: Iterable[T] | AsyncIterable[T],
        total: float | None = None,
        message: str = "",
        done: int = 0,
    ) -> AsyncIterator[T]:
        """Iterate, and say how far: progress events with items per second and seconds left.

        *total* defaults to ``len(iterable)`` where it has one. *done* items were there
        before: where a later attempt goes on. At most ten events a second, always the
        first and the last.
        """
        meter = Meter(iterable, total, message, done)
        await self.emit(PROGRESS, meter.start())
        if isinstance(iterable, AsyncIterable):
            async for item in iterable:
                yield item
                if meter.step():
                    await self.emit(PROGRESS, meter.report())
        else:
            kept = time.monotonic()
            for item in iterable:
                yield item
                if meter.step():
                    await self.emit(PROGRESS, meter.report())
                if time.monotonic() - kept > _YIELD_AFTER:
                    await anyio.lowlevel.checkpoint()  # the loop is everyone's
                    kept = time.monotonic()
        await self.emit(PROGRESS, meter.end())


class SyncContext(_Context):
    """The context of a sync task, used from its worker thread."""

    __slots__ = ()

    def emit(self, type_: str, data: object = None) -> None:
        """See :meth:`Context.emit`; blocks while the journal is full."""
        self._append(check_type(type_), data)
        if self._journal.full:
            self._journal.room_blocking()

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """See :meth:`Context.progress`."""
        self.emit(PROGRESS, _progress(done, total, message))

    def log(self, message: str, level: str = "info") -> None:
        """See :meth:`Context.log`."""
        self.emit(LOG, _log(message, level))

    def append(self, text: str) -> None:
        """See :meth:`Context.append`."""
        self._journal.append_text(self._attempt, text)
        if self._journal.full:
            self._journal.room_blocking()

    def receive(self, timeout: float | None = None) -> Any:
        """See :meth:`Context.receive`; :class:`RunCancelled` once the run is asked to end."""
        return decode(self._inbox().get_blocking(timeout))

    def track(
        self,
        iterable: Iterable[T],
        total: float | None = None,
        message: str = "",
        done: int = 0,
    ) -> Iterator[T]:
        """See :meth:`Context.track`."""
        meter = Meter(iterable, total, message, done)
        self.emit(PROGRESS, meter.start())
        for item in iterable:
            yield item
            if meter.step():
                self.emit(PROGRESS, meter.report())
        self.emit(PROGRESS, meter.end())
