"""Bringing messages to the attempts that wait for them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from tasks.engine import store
from tasks.engine.attempts.attempt import Attempt
from tasks.engine.metrics.trouble import Trouble
from tasks.engine.process.threads import DatabaseThread

__all__ = ["Postman"]

_PAUSE: Final = 0.5  # seconds between two looks while an attempt listens and no news comes


class Postman:
    """Looks with one query for all attempts that listen, and not while none does."""

    def __init__(self, active: Callable[[], list[Attempt]]) -> None:
        self._active = active
        self._thread = DatabaseThread("headway-postman")
        self._news = asyncio.Event()

    def look(self) -> None:
        """Something was sent, or somebody begins to listen. From the loop."""
        self._news.set()

    async def serve(self) -> None:
        trouble = Trouble("Looking for messages to runs")
        try:
            while True:
                await self._wait()
                with trouble:
                    while await self._deliver():
                        continue  # there may be more
        finally:
            self._thread.close()

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PAUSE if self._listening() else None):
                await self._news.wait()
        self._news.clear()

    async def _deliver(self) -> bool:
        """Bring what there is; whether there was any."""
        listening = self._listening()
        if not listening:
            return False
        inboxes = {one.claim.run_id: one.inbox for one in listening if one.inbox is not None}
        heard = {run_id: inbox.heard for run_id, inbox in inboxes.items()}
        found = await self._thread.call(store.messages_after, heard)
        for sent in found:
            inboxes[sent.run_id].put(sent.number, sent.data)
        return bool(found)

    def _listening(self) -> list[Attempt]:
        return [one for one in self._active() if one.inbox is not None and not one.closed]
