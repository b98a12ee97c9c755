"""SIGTERM and SIGINT as calls in the event loop."""

import asyncio
import signal
from collections.abc import Callable
from contextvars import Context
from types import FrameType

from tasks.conf import conf
from tasks.engine.process.lastresort import LAST_RESORT, LastResort

__all__ = ["StopSignals"]


class StopSignals:
    """Takes SIGTERM and SIGINT over: the first asks to stop, each further one to hurry.

    *stop* is called in the running loop with the number of signals so far. The last
    resort is armed before the loop is asked, since the loop may be blocked. With
    *chain*, the first signal also reaches the handler that was there before.

    For the main thread, and from a running loop.
    """

    def __init__(
        self, stop: Callable[[int], None], last_resort: LastResort, *, chain: bool = False
    ) -> None:
        self._stop = stop
        self._last_resort = last_resort
        self._chain = chain
        self._count = 0
        self._grace = conf().grace
        self._loop = asyncio.get_running_loop()
        self._previous: dict[int, signal._HANDLER] = {}

    def install(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            # A shell starts its background jobs with SIGINT ignored, and means it.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._handle)

    def restore(self) -> None:
        """Give the signals back to whoever had them, unless someone took them meanwhile."""
        for number, previous in self._previous.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, previous)
        self._previous.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._count += 1
        grace = self._grace if self._count == 1 else 0.0
        self._last_resort.arm(grace + LAST_RESORT)
        if not self._loop.is_closed():
            # A context of its own, or what follows would run in that of the task which
            # the signal happened to interrupt.
            self._loop.call_soon_threadsafe(self._stop, self._count, context=Context())
        previous = self._previous.get(number)
        if self._chain and self._count == 1 and callable(previous):
            previous(number, frame)
