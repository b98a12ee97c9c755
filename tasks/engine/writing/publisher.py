"""Handing committed events to the Channels layer, one message a shard."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from channels.layers import InMemoryChannelLayer, get_channel_layer

from tasks.conf import conf
from tasks.engine.metrics import instruments
from tasks.engine.news import tidings, waiting
from tasks.events import (
    FINISHED,
    RESERVED,
    Event,
    LayerBatch,
    layer_batch,
    layer_message,
    shard_group,
)

__all__ = ["Publisher"]

logger = logging.getLogger("headway.publisher")

_PATIENCE = 1.0  # seconds


class Publisher:
    """Publishes, and never fails: what the layer loses, the hubs read from the database.

    Commits wait for publishing, so a layer that fails or hangs is given up after
    ``_PATIENCE`` seconds, and not asked again for as long.
    """

    def __init__(self) -> None:
        self._muted_until = 0.0
        self._failing = False  # said once, not for every flush

    async def publish(self, batches: Sequence[tuple[UUID, Sequence[Event]]]) -> None:
        """Send the events of some runs. Returns when the layer has them, or has failed."""
        if time.monotonic() >= self._muted_until:
            await self._send(batches)
        if tidings.wanted() and _has_change(batches):
            tidings.tell()
        for run_id, events in batches:
            if events[-1].type == FINISHED:
                waiting.notify(run_id)
            else:
                waiting.stir(run_id, events[-1].seq)

    async def _send(self, batches: Sequence[tuple[UUID, Sequence[Event]]]) -> None:
        shards: dict[str, list[LayerBatch]] = defaultdict(list)
        for run_id, events in batches:
            shards[shard_group(run_id, conf().shards)].append(layer_batch(run_id, events))
        layer = cast(Any, get_channel_layer(conf().channel_layer))
        alone = isinstance(layer, InMemoryChannelLayer)  # there is nothing to wait for
        try:
            async with asyncio.timeout(None if alone else _PATIENCE):
                for group, messages in shards.items():
                    await layer.group_send(group, layer_message(messages, time.time_ns() // 1000))
        except Exception as error:
            self._muted_until = time.monotonic() + _PATIENCE
            instruments.failures.labels("Publishing").inc()
            if not self._failing:
                logger.warning(
                    "The Channels layer takes no events: %r. Watchers fall back on the database.",
                    error,
                )
            self._failing = True
        else:
            if self._failing:
                logger.info("The Channels layer takes events again.")
            self._failing = False
            instruments.published.inc(sum(len(events) for _, events in batches))


def _has_change(batches: Sequence[tuple[UUID, Sequence[Event]]]) -> bool:
    """Whether the state of a run has changed: its own words never say so."""
    return any(event.type in RESERVED for _, events in batches for event in events)
