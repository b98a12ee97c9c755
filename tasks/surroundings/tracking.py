"""Arithmetic of progress: rate and time left."""

import time
from collections.abc import Sized
from typing import Any

__all__ = ["Meter"]

_INTERVAL = 0.1  # seconds between two reports: an eye sees no more


class Meter:
    """Counts items and says when a report is due."""

    def __init__(self, iterable: object, total: float | None, message: str, done: int = 0) -> None:
        if total is None and isinstance(iterable, Sized):
            total = done + len(iterable)
        self.total = total
        self.message = message
        self.done = done
        self._before = done  # by an earlier attempt, so no part of this one's rate
        self._started = self._reported = time.monotonic()

    def step(self) -> bool:
        """Count one item; True if a report is due."""
        self.done += 1
        return time.monotonic() - self._reported >= _INTERVAL

    def start(self) -> dict[str, Any]:
        return self._data(None, None)

    def report(self) -> dict[str, Any]:
        """Data of a progress event: *rate* in items per second, *eta* in seconds."""
        self._reported = time.monotonic()
        elapsed = self._reported - self._started
        rate = (self.done - self._before) / elapsed if elapsed > 0 else None
        left = self.total - self.done if self.total is not None else None
        eta = round(left / rate, 1) if rate and left is not None and left >= 0 else None
        return self._data(round(rate, 1) if rate else None, eta)

    def end(self) -> dict[str, Any]:
        """The last report: an unknown total is known now."""
        if self.total is None:
            self.total = self.done
        return self.report()

    def _data(self, rate: float | None, eta: float | None) -> dict[str, Any]:
        return {
            "done": self.done,
            "total": self.total,
            "message": self.message,
            "rate": rate,
            "eta": eta,
        }
