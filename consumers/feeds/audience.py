"""Telling the others how many watch which run in this process."""

import os
import secrets
import socket
from collections.abc import Callable, Mapping
from uuid import UUID

import anyio

from tasks.engine import store
from tasks.engine.metrics.trouble import Trouble
from tasks.engine.process.threads import DatabaseThread

__all__ = ["Audience"]

_PAUSE = 3.0  # seconds between two looks at who watches
_RENEWED = 15.0  # seconds; what is said counts for three times as long


class Audience:
    """Writes what has changed since the last time, with one statement for all runs.

    Watchers who come and go in between cost nothing. What a process said that died counts no
    more after :data:`store.SILENT` seconds.
    """

    def __init__(self, count: Callable[[], Mapping[UUID, int]]) -> None:
        self._count = count
        host = socket.gethostname()[:60]
        self._process = f"{host}:{os.getpid()}:{secrets.token_hex(4)}"
        self._thread = DatabaseThread("headway-audience")
        self._told: dict[UUID, int] = {}

    async def serve(self) -> None:
        """Tell until cancelled."""
        trouble = Trouble("Telling others who watches")
        due = 0.0
        try:
            while True:
                await anyio.sleep(_PAUSE)
                with trouble:
                    await self._tell(self._count())
                    if self._told and anyio.current_time() >= due:
                        await self._thread.call(store.renew_audience, self._process)
                        due = anyio.current_time() + _RENEWED
        finally:
            if self._told:  # nobody is waited for here: the rest of it is the database's
                self._thread.submit(store.dismiss, self._process)
            self._thread.close()

    async def _tell(self, now: Mapping[UUID, int]) -> None:
        gone = dict.fromkeys(self._told.keys() - now.keys(), 0)
        news = {run_id: n for run_id, n in now.items() if self._told.get(run_id) != n} | gone
        if news:
            await self._thread.call(store.note_audience, self._process, news)
            self._told = dict(now)
