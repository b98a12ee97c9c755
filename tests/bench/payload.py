"""What Headway and the bare servers both send, byte for byte."""

import asyncio
import time

__all__ = ["TEXT", "Pace"]

#: Makes an event about as long as a progress report: 250 bytes on the wire.
TEXT = "a line as a task might report it, neither long nor short, of eighty characters .."


class Pace:
    """So many a second, measured from the first: what came late is caught up with."""

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._due = time.perf_counter()

    async def next(self) -> None:
        self._due += self._interval
        await asyncio.sleep(max(0.0, self._due - time.perf_counter()))  # it is the pace
