"""Telling those who show lists of runs that some run has changed, while there are any.

A hub that joined all shards for the sake of its lists would hear every event of every run to
find the few that change a state, and a group of their own would have every process send to
nobody. So a hub with lists says so, again and again, in the group that all who execute
are in already; they tell it in another one, at most twenty times a second, that there is
something to be read, and stop when they hear of no lists any more. It is only latency: what
has changed stands in the database, and is looked for there anyway.
"""

import asyncio
import time
from contextvars import Context
from typing import Any, Final

from channels.layers import get_channel_layer

from tasks.conf import conf
from tasks.engine.metrics.trouble import Trouble
from tasks.engine.news.wakers import News, announce, others_hear
from tasks.engine.news.wakers.layer import GROUP as WAKE

__all__ = ["GROUPS", "RENEWED", "ask", "tell", "want", "wanted"]

_GROUP: Final = "headway.lists"

#: Where a hub with lists hears of changes: also of runs that others have enqueued.
GROUPS: Final = frozenset({_GROUP, WAKE})

RENEWED: Final = 10.0  #: seconds after which whoever has lists should :func:`ask` again
_KEPT = 3 * RENEWED
_PATIENCE = 1.0  # seconds a message may take
_AT_MOST_EVERY = 0.05  # seconds between two of them: a burst is one piece of news


class _Teller:
    """Sends the first news at once, and what comes shortly after it together."""

    def __init__(self) -> None:
        self._until = 0.0
        self._news = False
        self._telling: asyncio.Task[None] | None = None
        self._trouble = Trouble("Telling lists of changes")

    def wanted(self) -> bool:
        """Whether there are lists somewhere. Any thread."""
        return time.monotonic() < self._until

    def want(self) -> None:
        """There are lists somewhere. Any thread."""
        self._until = time.monotonic() + _KEPT

    def tell(self) -> None:
        """Some run has changed. From the loop; does nothing where nobody wants to know."""
        if not self.wanted():
            return
        self._news = True
        telling, loop = self._telling, asyncio.get_running_loop()
        if telling is None or telling.done() or telling.get_loop() is not loop:
            # In an empty context, or it would carry along that of who enqueues.
            self._telling = loop.create_task(self._tell(), name="tell lists", context=Context())

    async def _tell(self) -> None:
        while self._news:
            self._news = False
            layer: Any = get_channel_layer(conf().channel_layer)
            with self._trouble:
                async with asyncio.timeout(_PATIENCE):
                    await layer.group_send(_GROUP, {"type": "headway.lists"})
            await asyncio.sleep(_AT_MOST_EVERY)


_teller = _Teller()
want, wanted, tell = _teller.want, _teller.wanted, _teller.tell


def ask() -> None:
    """Say that there are lists in this process. Any thread."""
    want()
    if others_hear():
        announce(News.LISTS)
