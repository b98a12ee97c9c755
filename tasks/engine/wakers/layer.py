"""A Channels layer: one group that every executing process is a member of."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import anyio
from channels.layers import channel_layers, get_channel_layer

from tasks.conf import conf
from tasks.engine.subscription import Subscription
from tasks.engine.trouble import Trouble

__all__ = ["GROUP", "Waker", "announce"]

logger = logging.getLogger("headway.waker")

GROUP: Final = "headway.wake"

_TICK = 1.0  # seconds between looks at the membership
_PATIENCE = 1.0  # seconds an announcement may take
_AT_MOST_EVERY = 0.01  # seconds between two announcements: a burst is one piece of news


class Waker:
    """Wakes when another process has announced a run."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    async def serve(self) -> None:
        subscription = Subscription(channel_layers[conf().channel_layer])
        async with anyio.create_task_group() as group:
            group.start_soon(self._belong, subscription, name="waker: belong")
            trouble = Trouble("Hearing of new runs from the Channels layer")
            while True:
                with trouble:
                    await subscription.receive()
                if trouble.lasts:
                    subscription.forget()
                    await anyio.sleep(trouble.pause)
                self._wake()

    async def _belong(self, subscription: Subscription) -> None:
        trouble = Trouble("Joining the group of those who execute runs")
        while True:
            with trouble:
                await subscription.follow({GROUP})
            if trouble.lasts:
                subscription.forget()
            await anyio.sleep(_TICK)


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
            async with asyncio.timeout(_PATIENCE):
                await layer.group_send(GROUP, {"type": "headway.wake"})
        except Exception as error:
            logger.debug("The Channels layer takes no news of runs: %r", error)


announce = _Announcer().announce
