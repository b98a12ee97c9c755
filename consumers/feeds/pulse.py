"""What is done by the clock for all who watch."""

from collections.abc import Callable, Collection, Iterable
from typing import Protocol

import anyio

from consumers.feeds.feed import Feed
from consumers.feeds.replay import Log
from tasks.conf import conf
from tasks.engine.metrics.trouble import Trouble

__all__ = ["Beating", "beat", "keep"]

_TICK = 1.0  # seconds between looks at who needs a heartbeat
_KEEP = 10.0  # seconds between marks on what is watched; one lasts for 30 at least


class Beating(Protocol):
    """Who has clients that hear a heartbeat when there is nothing else."""

    def beat(self, silent: float) -> None:
        """Let those have one that have heard nothing for *silent* seconds."""


async def beat(all_: Callable[[], Iterable[Beating]]) -> None:
    """See to the heartbeats of them all, for ever."""
    tick = min(_TICK, conf().heartbeat / 2)
    while True:
        await anyio.sleep(tick)
        for one in all_():
            one.beat(conf().heartbeat - tick)


async def keep(feeds: Collection[Feed], log: Log) -> None:
    """Keep the finished runs that are still being read, for ever."""
    trouble = Trouble("Keeping watched runs from being deleted")
    while True:
        await anyio.sleep(_KEEP)
        if read := [feed.run_id for feed in feeds if feed.finished]:
            with trouble:
                await log.keep(read)
