"""The only writer of a process's runs: group commit, then publish."""

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from contextvars import Context
from datetime import UTC, datetime
from uuid import UUID

from tasks.codec import encode
from tasks.conf import conf
from tasks.engine import store
from tasks.engine.attempts.attempt import Attempt, Cause
from tasks.engine.attempts.endings import End, conclude
from tasks.engine.attempts.text import pieces
from tasks.engine.metrics import instruments
from tasks.engine.process.threads import DatabaseThread
from tasks.engine.store import RunWrite
from tasks.engine.writing.backpressure import Backpressure
from tasks.engine.writing.flushes import Flushes
from tasks.engine.writing.group import gather
from tasks.engine.writing.publisher import Publisher, pack
from tasks.events import APPEND, PROGRESS, STOPPING, Event, encode_data
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
        self._loop, self._home = asyncio.get_running_loop(), threading.get_ident()
        self._lock = threading.Lock()
        self._backpressure = Backpressure(self._lock)
        self._dirty: dict[Attempt, None] = {}
        self._called = False  # the loop has been told that there is work
        self._work = asyncio.Event()
        self._taken: list[tuple[Attempt, RunWrite]] = []
        self._flushes = Flushes()

    # What attempts call

    def append(self, attempt: Attempt, type_: str, data: object) -> None:
        """Number an event and take it in. Never waits; see :attr:`full`."""
        self.append_encoded(attempt, type_, encode_data(type_, data, conf().event_bytes))

    def append_encoded(self, attempt: Attempt, type_: str, text: str) -> None:
        """:meth:`append` of data that is JSON text already, and no longer than it may be."""
        with self._lock:
            attempt.check_open()
            self._take_in(attempt, type_, text)

    def append_text(self, attempt: Attempt, text: str) -> None:
        """Take in text, which leaves with what follows within ``HEADWAY["APPEND"]`` seconds.

        The first leaves at once, and nothing is ever overtaken by what was emitted later.
        """
        most = conf().event_bytes - 2  # the quotes
        given = pieces(text, most)
        with self._lock:
            attempt.check_open()
            for piece, size in given:
                if attempt.text.size + size > most:
                    self._release(attempt)
                waits = attempt.text.size > 0
                attempt.text.hold(piece, size)
                left = attempt.text.left_at + conf().append - time.monotonic()
                if left <= 0:
                    self._release(attempt)
                elif not waits:
                    self._loop.call_soon_threadsafe(self._release_in, left, attempt)

    @property
    def uncommitted(self) -> int:
        """Events taken in and not yet committed."""
        return self._backpressure.held

    @property
    def full(self) -> bool:
        return self._backpressure.full

    async def room(self) -> None:
        """Wait until the journal is not full: back-pressure on a task that emits too fast."""
        await self._backpressure.wait()

    def room_blocking(self) -> None:
        """:meth:`room`, for a thread."""
        self._backpressure.wait_blocking()

    async def flush(self, attempt: Attempt) -> None:
        """Wait until everything *attempt* has emitted is committed."""
        with self._lock:
            self._release(attempt)
        if attempt.closed or attempt.next_seq == attempt.claim.started.seq + 1:
            return
        done = self._flushes.add(attempt, attempt.next_seq - 1)
        self._call()
        await done

    def settle(self, attempt: Attempt, end: End) -> None:
        """Write the end of *attempt*; ``attempt.settled`` is done when it is committed."""
        with self._lock:
            if attempt.closed:
                return
            self._release(attempt)
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
            self._backpressure.held += 1
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
            self._backpressure.held -= len(attempt.pending)
            attempt.pending.clear()
        attempt.cancel(Cause.LOST)
        self._flushes.answer({attempt.claim.run_id})
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
            self._flushes.answer(refused)

    def _release_in(self, seconds: float, attempt: Attempt) -> None:
        def release() -> None:
            with self._lock:
                self._release(attempt)

        self._loop.call_later(seconds, release, context=Context())

    def _release(self, attempt: Attempt) -> None:
        """Make an event of the text that waits, if there is any."""
        if attempt.text.size and not attempt.closed:
            attempt.text.left_at = time.monotonic()
            self._number(attempt, APPEND, attempt.text.take())

    def _take_in(self, attempt: Attempt, type_: str, text: str) -> None:
        self._release(attempt)
        self._number(attempt, type_, text)

    def _number(self, attempt: Attempt, type_: str, text: str) -> None:
        event = Event(attempt.next_seq, type_, datetime.now(UTC), text)
        attempt.next_seq += 1
        attempt.pending.append(event)
        attempt.trace.note(type_, event.seq)
        if type_ == PROGRESS:
            attempt.progress = text
        self._dirty[attempt] = None
        self._backpressure.held += 1
        if not self._called:
            self._call()

    def _call(self) -> None:
        self._called = True
        if threading.get_ident() == self._home:
            self._work.set()
        else:
            self._loop.call_soon_threadsafe(self._work.set)

    def _take(self) -> list[tuple[Attempt, RunWrite]]:
        with self._lock:
            group = gather(self._dirty, _EVENTS_A_COMMIT)
            if not self._dirty:
                self._called = False
                self._work.clear()
        return group

    async def _commit(self, group: Sequence[tuple[Attempt, RunWrite]]) -> set[UUID]:
        began = time.perf_counter()
        writing = self._writer.call(store.write, [write for _, write in group])
        # While the database works, there is time for it.
        parcel = pack([(write.run_id, write.events) for _, write in group])
        refused = await writing
        count = sum(len(write.events) for _, write in group)
        instruments.committed(count, time.perf_counter() - began)
        self._backpressure.free(count)
        if refused:
            parcel = pack([batch for batch in parcel.batches if batch[0] not in refused])
        await self._publisher.publish(parcel)
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
