"""Channels layers that lose and reorder what is published, and settings of a service with one."""

import asyncio
import random
from typing import Any

from channels.layers import InMemoryChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

from asgi_app.settings import *  # noqa: F403
from asgi_app.settings import CHANNEL_LAYERS

LOST = 0.3
LATE = 0.3
DELAY = 0.2  # seconds at most, in which others overtake

_background: set[asyncio.Task[None]] = set()


async def _publish(publish: Any, group: str, message: Any) -> None:
    chance = random.random()
    if chance < LOST:
        return
    if chance < LOST + LATE:
        task = asyncio.create_task(_later(publish, group, message))
        _background.add(task)
        task.add_done_callback(_background.discard)
    else:
        await publish(group, message)


async def _later(publish: Any, group: str, message: Any) -> None:
    await asyncio.sleep(random.uniform(0, DELAY))  # how late is what chance decides
    await publish(group, message)


class LossyMemory(InMemoryChannelLayer):
    async def group_send(self, group: str, message: Any) -> None:
        await _publish(super().group_send, group, message)


class LossyRedis(RedisPubSubChannelLayer):  # type: ignore[misc]
    async def group_send(self, group: str, message: Any) -> None:
        await _publish(super().group_send, group, message)


_redis = "channels_redis" in CHANNEL_LAYERS["default"]["BACKEND"]
CHANNEL_LAYERS["default"]["BACKEND"] = f"{__name__}.{'LossyRedis' if _redis else 'LossyMemory'}"
