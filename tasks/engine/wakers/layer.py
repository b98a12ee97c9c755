"""A Channels layer: one group that every executing process is a member of."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from channels.layers import get_channel_layer

from tasks.conf import conf

__all__ = ["GROUP", "Waker", "announce"]

logger = logging.getLogger("headway.waker")

GROUP: Final = "headway.wake"

_REJOIN = 30.0  # seconds: layers forget memberships, see the hub's subscription
_PAUSE = 1.0  # seconds before a layer that failed is asked again
_AT_MOST_EVERY = 0.01  # seconds between two announcements: a burst is one piece of news


class Waker:
    """Wakes when another process has announced a run."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    async def serve(self) -> None:
        layer: Any = get_channel_layer(conf().channel_layer)
        channel = await layer.new_channel("headway.waker")
        joining = asyncio.create_task(self._join(layer, channel), name="headway waker: join")
        try:
            while True:
                try:
                    # Never cancelled while it lives: layers lose what is under way.
                    await layer.receive(channel)
                except Exception as error:
                    logger.warning("The Channels layer brings no news of runs: %r", error)
                    await asyncio.sleep(_PAUSE)
                self._wake()
        finally:
            joining.cancel()

    async def _join(self, layer: Any, channel: str) -> None:
        while True:
            try:
                await layer.group_add(GROUP, channel)
            except Exception:
                await asyncio.sleep(_PAUSE)
            else:
                await asyncio.sleep(_REJOIN)


class _Announcer:
    """Sends from a loop of its own: who enqueues may have no loop, or a blocked one."""

    def __init__(self) -> None:
        self._news = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def announce(self) -> None:
        self._news.set()
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name="headway-announcer", daemon=True
                )
                self._thread.start()

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            while self._news.wait():
                self._news.clear()
                runner.run(self._send())
                time.sleep(_AT_MOST_EVERY)

    async def _send(self) -> None:
        layer: Any = get_channel_layer(conf().channel_layer)
        try:
            async with asyncio.timeout(_PAUSE):
                await layer.group_send(GROUP, {"type": "headway.wake"})
        except Exception as error:
            logger.debug("The Channels layer takes no news of runs: %r", error)


announce = _Announcer().announce
