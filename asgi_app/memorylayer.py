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

    Giving a message to who waits for it waits for nothing, so it is done at once here: a process
    has one member in a group, and the task cost more than all the rest. Who waits needs no queue,
    messages are copied by ``marshal``, and what has expired is looked for once a second: all
    three are done for each message.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._cleaned = 0.0

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        if not self._hand_over(channel, message):
            await super().send(channel, message)

    async def receive(self, channel: str) -> dict[str, Any]:
        self.require_valid_channel_name(channel)
        self._clean_expired()
        if channel in self.channels or channel in self._waiting:
            queued: dict[str, Any] = await super().receive(channel)
            return queued
        waiting: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[channel] = waiting
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():  # who is cancelled takes nothing along
                self._queue(channel)._queue.appendleft((self._until(), waiting.result()))
            raise
        finally:
            if self._waiting.get(channel) is waiting:
                del self._waiting[channel]

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if group not in self.groups:
            self.require_valid_group_name(group)
            return
        for channel in list(self.groups[group]):
            if not self._hand_over(channel, message):
                with suppress(asyncio.QueueFull):
                    self._queue(channel).put_nowait((self._until(), _copy(message)))

    def _hand_over(self, channel: str, message: dict[str, Any]) -> bool:
        """Whether somebody waits for it."""
        waiting = self._waiting.pop(channel, None)
        if waiting is None or waiting.done():
            return False
        waiting.set_result(_copy(message))
        return True

    def _until(self) -> float:
        return time.time() + float(self.expiry)

    def _clean_expired(self) -> None:
        now = time.monotonic()
        if now - self._cleaned >= 1:
            self._cleaned = now
            super()._clean_expired()  # type: ignore[misc,unused-ignore]

    def _queue(self, channel: str) -> Any:
        if channel not in self.channels:
            self.channels[channel] = asyncio.Queue(maxsize=self.get_capacity(channel))
        return self.channels[channel]


def _copy(message: dict[str, Any]) -> dict[str, Any]:
    try:
        copied: dict[str, Any] = marshal.loads(marshal.dumps(message))
    except ValueError:  # something that only Python's own copying can
        return deepcopy(message)
    return copied
