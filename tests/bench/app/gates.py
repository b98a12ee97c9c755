"""Where tasks wait until everything around them is in place."""

import asyncio
from collections import defaultdict

__all__ = ["Crowd", "gates"]

#: By run id, or by any other name that task and view agree on.
gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)


class Crowd:
    """Tasks that wait for the same gate, and a view that waits until all of them do."""

    def __init__(self) -> None:
        self.waiting = 0
        self._expected = 0
        self._complete = asyncio.Event()

    async def gather(self, expected: int) -> None:
        self._expected = expected
        self._look()
        await self._complete.wait()

    async def wait(self, gate: asyncio.Event) -> None:
        self.waiting += 1
        self._look()
        try:
            await gate.wait()
        finally:
            self.waiting -= 1

    def _look(self) -> None:
        if self._expected and self.waiting >= self._expected:
            self._complete.set()


#: One for each gate.
crowds: defaultdict[str, Crowd] = defaultdict(Crowd)
