"""Saying that runs wait in a queue which no process takes from."""

import logging
import random

import anyio

from tasks.conf import conf
from tasks.engine import store
from tasks.engine.process.threads import DatabaseThread

__all__ = ["Unserved"]

logger = logging.getLogger("headway.queues")

_EVERY = 30.0  # seconds between two looks, about


class Unserved:
    """Warns once of each such queue, until it is served again.

    In processes that execute nothing too: where nobody executes, somebody must say so.
    """

    def __init__(self) -> None:
        self._told: set[str] = set()

    async def serve(self) -> None:
        while True:
            await anyio.sleep(random.uniform(0.5, 1.5) * _EVERY)
            thread = DatabaseThread("headway-unserved")
            try:
                found = await thread.call(store.unserved, conf().lease)
            finally:
                thread.close()
            for name in sorted(found - self._told):
                logger.warning(
                    "Runs wait in the queue %r, and no living process takes from it: start one"
                    " that does, or look at HEADWAY['QUEUES'] of those there are.",
                    name,
                )
            self._told = found
