"""Hearing what the Channels layer brings, again and again after each failure."""

from collections.abc import Callable
from typing import Any

import anyio
from channels.layers import channel_layers

from tasks.conf import conf
from tasks.engine.metrics.trouble import Trouble
from tasks.engine.news.subscription import Subscription

__all__ = ["Hearing"]


class Hearing:
    """A subscription that is kept up: what fails is said once, waited out, and begun again."""

    def __init__(self, hear: Callable[[dict[str, Any]], object]) -> None:
        self._hear = hear
        alias = conf().channel_layer
        self._subscription = Subscription(channel_layers[alias])
        self._receiving = Trouble(f"Receiving from CHANNEL_LAYERS[{alias!r}]")
        self._joining = Trouble(f"Joining groups of CHANNEL_LAYERS[{alias!r}]")

    async def listen(self) -> None:
        """Hand over each message, for ever."""
        while True:
            with self._receiving:
                self._hear(await self._subscription.receive())
            if self._receiving.lasts:
                self._subscription.forget()
                await anyio.sleep(self._receiving.pause)

    async def follow(self, groups: set[str]) -> None:
        """Hear of these groups and of no others, or say why not: to be called again and again."""
        with self._joining:
            await self._subscription.follow(groups)
        if self._joining.lasts:
            self._subscription.forget()
