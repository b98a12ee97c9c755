"""Waiting in this process for news of runs."""

import asyncio
import os
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

from tasks.engine.news.lookout import Lookout
from tasks.engine.process.loops import call_on
from tasks.engine.store import Head
from tasks.states import TERMINAL

__all__ = ["Signal", "awaited", "notify", "rest", "stir", "watching"]

_waiting: dict[UUID, set["Signal"]] = defaultdict(set)
_lock = threading.Lock()


class Signal:
    """Tells one waiter when to look at its run again: a watcher's side, without a loop.

    With *after* it is told of events above that seq, which the waiter raises as it reads;
    without, of the run's end only.
    """

    def __init__(self, after: int | None = None) -> None:
        self.after = after
        self._event = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None

    def hear(self, last_seq: int, ended: bool) -> None:
        """Wake the waiter if that is news. Any thread."""
        if ended or (self.after is not None and last_seq > self.after):
            self.set()

    def set(self) -> None:
        self._event.set()
        if self._loop is not None and self._wake is not None:
            call_on(self._loop, self._wake.set)

    def blocking(self, timeout: float | None = None) -> Iterator[None]:
        """Yield each time the run should be looked at; ``TimeoutError`` after *timeout* s."""
        deadline = _deadline(timeout)
        while True:
            yield
            if not self._event.wait(_left(deadline)):
                raise _too_late(timeout)
            self._event.clear()

    async def waiting(self, timeout: float | None = None) -> AsyncIterator[None]:
        """:meth:`blocking`, for a coroutine."""
        deadline = _deadline(timeout)
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        if self._event.is_set():  # it came before there was anyone to wake
            self._wake.set()
        while True:
            yield
            try:
                await asyncio.wait_for(self._wake.wait(), _left(deadline))
            except TimeoutError:
                raise _too_late(timeout) from None
            self._wake.clear()


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())


def _too_late(timeout: float | None) -> TimeoutError:
    return TimeoutError(f"The run has not finished within {timeout:g} seconds; it goes on.")


@contextmanager
def watching(run_id: UUID, after: int | None = None) -> Iterator[Signal]:
    """A signal for news of a run. Enter this before you read the run for the first time."""
    signal = Signal(after)
    with _lock:
        _waiting[run_id].add(signal)
    _lookout.attend()
    try:
        yield signal
    finally:
        with _lock:
            _waiting[run_id].discard(signal)
            if not _waiting[run_id]:
                del _waiting[run_id]


def awaited() -> Collection[UUID]:
    """The runs that somebody here waits for. Any thread."""
    with _lock:
        return list(_waiting)


def notify(run_id: UUID) -> None:
    """Wake everyone in this process who waits for the end of *run_id*. Any thread."""
    _tell(run_id, 0, True)


def stir(run_id: UUID, last_seq: int) -> None:
    """Wake those who follow *run_id* and have not read up to *last_seq*. Any thread."""
    _tell(run_id, last_seq, False)


def _tell(run_id: UUID, last_seq: int, ended: bool) -> None:
    if run_id not in _waiting:
        return
    with _lock:
        signals = list(_waiting.get(run_id, ()))
    for signal in signals:
        signal.hear(last_seq, ended)


def _found(run_ids: Collection[UUID], heads: Mapping[UUID, Head]) -> None:
    """Tell of runs as they are in the database; one that is not there has an end too."""
    for run_id in run_ids:
        head = heads.get(run_id)
        _tell(run_id, head.last_seq if head else 0, head is None or head.status in TERMINAL)


_lookout = Lookout(awaited, _found, _tell)
#: Let go of the threads and connections that waiting needs, unless somebody waits.
rest = _lookout.rest


def _forget() -> None:
    global _lock
    _lock = threading.Lock()  # it may have been held by a thread that is not here
    _waiting.clear()
    _lookout.forget()


os.register_at_fork(after_in_child=_forget)
