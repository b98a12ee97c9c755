"""The only writer of a process's runs: group commit, then publish."""

import asyncio
import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from tasks.codec import encode
from tasks.conf import conf
from tasks.engine import store
from tasks.engine.attempt import Attempt, Cause
from tasks.engine.endings import End, conclude
from tasks.engine.metrics import instruments
from tasks.engine.publisher import Publisher
from tasks.engine.store import RunWrite
from tasks.engine.threads import DatabaseThread
from tasks.events import PROGRESS, STOPPING, Event
from tasks.exceptions import InvalidEvent, RunCancelled, RunLost
from tasks.states import Ending

__all__ = ["Journal"]

logger = logging.getLogger("headway.journal")

_EVENTS_A_COMMIT = 500  # a larger transaction would keep other writers waiting for long


class Journal:
    """Gathers what attempts emit, commits it in groups, and publishes what is committed.

    It writes at once. While a commit is under way it gathers what comes, and writes that
    next: the slower the database, the larger the groups, without a timer. Threads and
    the event loop may call :meth:`append`; all else belongs to the loop.
    """

    def __init__(self, writer: DatabaseThread, publisher: Publisher) -> None:
        self._writer = writer
        self._publisher = publisher
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._space = threading.Condition(self._lock)
        self._dirty: dict[Attempt, None] = {}
        self._held = 0  # events taken in and not yet committed
        self._called = False  # the loop has been told that there is work
        self._work = asyncio.Event()
        self._room: asyncio.Future[None] | None = None
        self._taken: list[tuple[Attempt, RunWrite]] = []
        self._flushes: list[tuple[Attempt, int, asyncio.Future[None]]] = []

    # What attempts call

    def append(self, attempt: Attempt, type_: str, data: object) -> None:
        """Number an event and take it in. Never waits; see :attr:`full`."""
        text = encode(data)
        size = len(text.encode())
        if size > conf().event_bytes:
            raise InvalidEvent(
                f"The data of this {type_!r} event has {size} bytes, above the limit of "
                f"{conf().event_bytes}: send it in parts, or a reference to it."
            )
        with self._lock:
            if attempt.closed or attempt.expired:
                _refuse(attempt)
            self._take_in(attempt, type_, text)

    @property
    def uncommitted(self) -> int:
        """Events taken in and not yet committed."""
        return self._held

    @property
    def full(self) -> bool:
        return self._held >= conf().journal_events

    async def room(self) -> None:
        """Wait until the journal is not full: back-pressure on a task that emits too fast."""
        while self.full:
            if self._room is None or self._room.done():
                self._room = self._loop.create_future()
            await asyncio.shield(self._room)

    def room_blocking(self) -> None:
        """:meth:`room`, for a thread."""
        with self._space:
            while self.full:
                self._space.wait()

    async def flush(self, attempt: Attempt) -> None:
        """Wait until everything *attempt* has emitted is committed."""
        if attempt.closed or attempt.next_seq == attempt.claim.started.seq + 1:
            return
        done = self._loop.create_future()
        self._flushes.append((attempt, attempt.next_seq - 1, done))
        self._call()
        await done

    def settle(self, attempt: Attempt, end: End) -> None:
        """Write the end of *attempt*; ``attempt.settled`` is done when it is committed."""
        with self._lock:
            if attempt.closed:
                return
            event, change = conclude(
                end,
                seq=attempt.next_seq,
                attempt=attempt.claim.attempt,
                max_attempts=attempt.claim.max_attempts,
            )
            attempt.pending.append(event)
            attempt.next_seq += 1
            attempt.change = change
            attempt.closed = True
            self._held += 1
            self._dirty[attempt] = None
        instruments.ended(attempt, end.ending, change.status)
        self._call()

    def announce_stopping(self, attempt: Attempt, request: str) -> None:
        """Tell watchers that the run has been asked to end and has not ended yet."""
        with self._lock:
            if not attempt.closed:
                self._take_in(attempt, STOPPING, encode({"request": request}))

    def announce_ignored(self, attempt: Attempt, seconds: float) -> None:
        """Tell watchers that the run goes on though it was asked to stop *seconds* ago."""
        data = {"request": "stop", "ignored": True, "seconds": seconds}
        with self._lock:
            if not attempt.closed:
                attempt.ignored = True
                self._take_in(attempt, STOPPING, encode(data))

    def abandon(self, attempt: Attempt) -> None:
        """The run is another's: write nothing more of it, and end the local attempt."""
        if not attempt.closed:
            instruments.ended(attempt, Ending.LOST)
        with self._lock:
            attempt.closed = True
            self._dirty.pop(attempt, None)
            self._held -= len(attempt.pending)
            attempt.pending.clear()
        attempt.cancel(Cause.LOST)
        self._answer({attempt.claim.run_id})
        if not attempt.settled.done():
            attempt.settled.set_result(None)

    # What the supervisor runs

    async def serve(self) -> None:
        """Commit and publish for ever. After a failure, serve again: nothing taken is lost."""
        while True:
            if not self._taken:
                await self._work.wait()
                self._taken = self._take()
            refused = await self._commit(self._taken) if self._taken else set()
            self._taken = []
            self._answer(refused)

    def _take_in(self, attempt: Attempt, type_: str, text: str) -> None:
        event = Event(attempt.next_seq, type_, datetime.now(UTC), text)
        attempt.next_seq += 1
        attempt.pending.append(event)
        attempt.trace.note(type_, event.seq)
        if type_ == PROGRESS:
            attempt.progress = text
        self._dirty[attempt] = None
        self._held += 1
        if not self._called:
            self._called = True
            self._loop.call_soon_threadsafe(self._call)

    def _call(self) -> None:
        self._called = True
        self._work.set()

    def _take(self) -> list[tuple[Attempt, RunWrite]]:
        """The next group: whole attempts in the order in which they first had something."""
        group: list[tuple[Attempt, RunWrite]] = []
        room = _EVENTS_A_COMMIT
        with self._lock:
            while self._dirty and room > 0:
                attempt = next(iter(self._dirty))
                events = attempt.pending[:room]
                del attempt.pending[:room]
                room -= len(events)
                write = RunWrite(attempt.claim.run_id, attempt.claim.fence, events)
                write.progress, attempt.progress = attempt.progress, None
                write.stop_ignored, attempt.ignored = attempt.ignored, False
                del self._dirty[attempt]
                if attempt.pending:
                    self._dirty[attempt] = None  # the rest queues up behind the others
                else:
                    write.change = attempt.change
                group.append((attempt, write))
            if not self._dirty:
                self._called = False
                self._work.clear()
        return group

    async def _commit(self, group: Sequence[tuple[Attempt, RunWrite]]) -> set[UUID]:
        with instruments.commit_seconds.time():
            refused = await self._writer.call(store.write, [write for _, write in group])
        count = sum(len(write.events) for _, write in group)
        instruments.events.inc(count)
        self._free(count)
        kept = [write for _, write in group if write.run_id not in refused]
        await self._publisher.publish([(write.run_id, write.events) for write in kept])
        for attempt, write in group:
            if write.run_id in refused:
                logger.warning(
                    "%r is another process's now; its writes are dropped",
                    attempt,
                    extra=attempt.origin.extra,
                )
                self.abandon(attempt)
            elif write.change is not None and not attempt.settled.done():
                attempt.settled.set_result(None)
        return refused

    def _free(self, count: int) -> None:
        with self._space:
            self._held -= count
            self._space.notify_all()
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    def _answer(self, refused: set[UUID]) -> None:
        """Release those who wait in :meth:`flush`."""
        waiting = []
        for attempt, seq, done in self._flushes:
            if done.done():
                continue
            first = attempt.pending[0].seq if attempt.pending else attempt.next_seq
            if attempt.claim.run_id in refused:
                done.set_exception(RunLost())
            elif first > seq:
                done.set_result(None)
            else:
                waiting.append((attempt, seq, done))
        self._flushes = waiting


def _refuse(attempt: Attempt) -> None:
    if attempt.cause is Cause.LOST or attempt.expired:
        raise RunLost(f"{attempt!r} lost its lease; what it emits now is dropped.")
    raise RunCancelled(f"{attempt!r} is over; it can emit nothing more.")
