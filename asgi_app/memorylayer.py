"""The Channels layer of a process that is alone."""

import asyncio
import marshal
import time
from contextlib import suppress
from copy import deepcopy
from typing import Any

from channels.layers import InMemoryChannelLayer

__all__ = ["MemoryLayer"]


class MemoryLayer(InMemoryChannelLayer):  # type: ignore[misc,unused-ignore]
    """Channels' own, which makes an asyncio task for each member of a group it sends to.

    Putting a message into a queue waits for nothing, so it is done at once here: a process has
    one member in a group, and the task cost more than all the rest. Messages are copied by
    ``marshal``, and what has expired is looked for once a second: both are done for each message.
    """

    _cleaned = 0.0

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.require_valid_group_name(group)
        until = time.time() + self.expiry
        for channel in list(self.groups.get(group, ())):
            with suppress(asyncio.QueueFull):
                self._queue(channel).put_nowait((until, _copy(message)))

    def _clean_expired(self) -> None:
        now = time.monotonic()
        if now - self._cleaned >= 1:
            self._cleaned = now
            super()._clean_expired()  # type: ignore[misc,unused-ignore]

    def _queue(self, channel: str) -> "asyncio.Queue[tuple[float, dict[str, Any]]]":
        if channel not in self.channels:
            self.channels[channel] = asyncio.Queue(maxsize=self.get_capacity(channel))
        queue: asyncio.Queue[tuple[float, dict[str, Any]]] = self.channels[channel]
        return queue


def _copy(message: dict[str, Any]) -> dict[str, Any]:
    try:
        copied: dict[str, Any] = marshal.loads(marshal.dumps(message))
    except ValueError:  # something that only Python's own copying can
        return deepcopy(message)
    return copied
