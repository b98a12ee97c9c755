"""Telling tasks that want to know how many watch them."""

from collections.abc import Callable
from typing import Final

import anyio

from tasks.engine import store
from tasks.engine.attempts.attempt import Attempt
from tasks.engine.metrics.trouble import Trouble
from tasks.engine.process.threads import DatabaseThread

__all__ = ["Audience"]

_PAUSE: Final = 3.0  # seconds between two looks


class Audience:
    """Looks with one query for all attempts whose code has asked, and not while none has."""

    def __init__(self, active: Callable[[], list[Attempt]]) -> None:
        self._active = active
        self._thread = DatabaseThread("headway-watched")

    async def serve(self) -> None:
        trouble = Trouble("Looking how many watch")
        try:
            while True:
                await anyio.sleep(_PAUSE)
                with trouble:
                    await self._look([one for one in self._active() if one.curious])
        finally:
            self._thread.close()

    async def _look(self, curious: list[Attempt]) -> None:
        if not curious:
            self._thread.close()
            return
        run_ids = [attempt.claim.run_id for attempt in curious]
        found = await self._thread.call(store.audience, run_ids)
        for attempt in curious:
            attempt.watchers = found.get(attempt.claim.run_id, 0)
