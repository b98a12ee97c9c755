"""Waiting in this process for the end of a run."""

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from tasks.conf import conf

__all__ = ["Signal", "finished", "notify"]

_waiting: dict[UUID, set["Signal"]] = defaultdict(set)
_lock = threading.Lock()


class Signal:
    """Tells one waiter when to look at its run again.

    At once when the run ends in this process; else every ``HEADWAY["POLL"]`` seconds,
    since another process may be executing it.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None

    def set(self) -> None:
        self._event.set()
        if self._loop is not None and self._wake is not None:
            self._loop.call_soon_threadsafe(self._wake.set)

    def blocking(self, timeout: float | None) -> Iterator[None]:
        """Yield each time the run should be looked at; ``TimeoutError`` after *timeout* s."""
        deadline = _deadline(timeout)
        while True:
            yield
            self._event.wait(_pause(deadline))
            self._event.clear()

    async def waiting(self, timeout: float | None) -> AsyncIterator[None]:
        """:meth:`blocking`, for a coroutine."""
        deadline = _deadline(timeout)
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        if self._event.is_set():  # it came before there was anyone to wake
            self._wake.set()
        while True:
            yield
            pause = _pause(deadline)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)
            self._wake.clear()


def _deadline(timeout: float | None) -> float:
    return float("inf") if timeout is None else time.monotonic() + timeout


def _pause(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("The run has not finished in time; it goes on.")
    return min(left, conf().poll)


@contextmanager
def finished(run_id: UUID) -> Iterator[Signal]:
    """A signal for the end of a run. Enter this before you read the run for the first time."""
    signal = Signal()
    with _lock:
        _waiting[run_id].add(signal)
    try:
        yield signal
    finally:
        with _lock:
            _waiting[run_id].discard(signal)
            if not _waiting[run_id]:
                del _waiting[run_id]


def notify(run_id: UUID) -> None:
    """Wake everyone in this process who waits for the end of *run_id*. Any thread."""
    if run_id not in _waiting:
        return
    with _lock:
        signals = list(_waiting.get(run_id, ()))
    for signal in signals:
        signal.set()
