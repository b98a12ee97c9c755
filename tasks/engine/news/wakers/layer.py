"""A Channels layer: one group that every executing process is a member of."""

import asyncio
import logging
import queue
import threading
import time
from contextlib import suppress
from typing import Any, Final

import anyio
from channels.layers import get_channel_layer

from tasks.conf import conf
from tasks.engine.news.hearing import Hearing
from tasks.engine.news.wakers.news import Hear, News

__all__ = ["GROUP", "Waker", "announce"]

logger = logging.getLogger("headway.waker")

GROUP: Final = "headway.wake"

_TICK = 1.0  # seconds between looks at the membership
_PATIENCE = 1.0  # seconds an announcement may take
_AT_MOST_EVERY = 0.01  # seconds between two announcements: a burst is one piece of news


class Waker:
    """Hears what other processes announce."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear

    async def serve(self) -> None:
        hearing = Hearing(self._understand)
        async with anyio.create_task_group() as group:
            group.start_soon(hearing.listen, name="waker: listen")
            while True:
                await hearing.follow({GROUP})
                await anyio.sleep(_TICK)

    def _understand(self, message: dict[str, Any]) -> None:
        with suppress(ValueError):  # news that only a later release understands
            self._hear(News(message.get("news", News.RUN)))


class _Announcer:
    """Sends from a loop of its own: who enqueues may have no loop, or a blocked one."""

    def __init__(self) -> None:
        self._news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def announce(self, news: News) -> None:
        self._news.put(news)
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name="headway-announcer", daemon=True
                )
                self._thread.start()

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            while True:
                for news in self._next():
                    runner.run(self._send(news))
                time.sleep(_AT_MOST_EVERY)

    def _next(self) -> set[News]:
        """What is to be told, each once; waits for it."""
        found = {self._news.get()}
        with suppress(queue.Empty):
            while True:
                found.add(self._news.get_nowait())
        return found

    async def _send(self, news: News) -> None:
        layer: Any = get_channel_layer(conf().channel_layer)
        try:
            async with asyncio.timeout(_PATIENCE):
                await layer.group_send(GROUP, {"type": "headway.wake", "news": str(news)})
        except Exception as error:
            logger.debug("The Channels layer takes no news: %r", error)


announce = _Announcer().announce
