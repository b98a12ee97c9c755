"""This process's side of the Channels layer: one channel, a member of some groups."""

import asyncio
import math
import time
from typing import Any

from channels.layers import BaseChannelLayer

__all__ = ["Subscription"]

# Seconds. Layers forget memberships: after a day, when Redis restarts, when a message
# has waited too long. To be added again costs little.
_REJOIN = 30.0
_NEVER = -math.inf


class Subscription:
    """The one channel on which this process hears of events."""

    def __init__(self, layer: BaseChannelLayer) -> None:
        self._layer: Any = layer  # groups are an extension, which the base class has not
        self._channel = ""
        self._naming = asyncio.Lock()
        #: When each membership was confirmed last: all that there may be, certain or not.
        self._joined: dict[str, float] = {}

    async def receive(self) -> dict[str, Any]:
        """The next message. Layers lose what is under way when this is cancelled."""
        channel = self._channel or await self._name()
        message: dict[str, Any] = await self._layer.receive(channel)
        return message

    async def follow(self, groups: set[str]) -> None:
        """Be a member of these groups and of no others."""
        stale = time.monotonic() - _REJOIN
        for group in groups:
            if self._joined.setdefault(group, _NEVER) <= stale:
                await self._layer.group_add(group, await self._name())
                self._joined[group] = time.monotonic()
        # What fails is tried again: a membership costs for as long as it lasts.
        for group in self._joined.keys() - groups:
            await self._layer.group_discard(group, await self._name())
            del self._joined[group]

    def forget(self) -> None:
        """The layer has failed: every membership has to be made, or ended, again."""
        self._joined = dict.fromkeys(self._joined, _NEVER)

    async def _name(self) -> str:
        async with self._naming:
            if not self._channel:
                self._channel = await self._layer.new_channel()
        return self._channel
