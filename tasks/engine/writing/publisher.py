"""Handing committed events to the Channels layer, one message a shard."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple, cast
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

__all__ = ["Parcel", "Publisher", "pack"]

logger = logging.getLogger("headway.publisher")

_PATIENCE = 1.0  # seconds


class Parcel(NamedTuple):
    """Events of some runs, and what the layer is given of them for each group."""

    batches: Sequence[tuple[UUID, Sequence[Event]]]
    shards: dict[str, list[LayerBatch]]


def pack(batches: Sequence[tuple[UUID, Sequence[Event]]]) -> Parcel:
    shards: dict[str, list[LayerBatch]] = defaultdict(list)
    for run_id, events in batches:
        shards[shard_group(run_id, conf().shards)].append(layer_batch(run_id, events))
    return Parcel(batches, shards)


class Publisher:
    """Publishes, and never fails: what the layer loses, the hubs read from the database.

    Commits wait for publishing, so a layer that fails or hangs is given up after
    ``_PATIENCE`` seconds, and not asked again for as long.
    """

    def __init__(self) -> None:
        self._muted_until = 0.0
        self._failing = False  # said once, not for every flush

    async def publish(self, parcel: Parcel) -> None:
        """Send the events of some runs. Returns when the layer has them, or has failed."""
        if time.monotonic() >= self._muted_until:
            await self._send(parcel)
        if tidings.wanted() and _has_change(parcel.batches):
            tidings.tell()
        for run_id, events in parcel.batches:
            if events[-1].type == FINISHED:
                waiting.notify(run_id)
            else:
                waiting.stir(run_id, events[-1].seq)

    async def _send(self, parcel: Parcel) -> None:
        layer = cast(Any, get_channel_layer(conf().channel_layer))
        # In memory there is nothing to wait for.
        alone = isinstance(layer, InMemoryChannelLayer)
        try:
            async with nullcontext() if alone else asyncio.timeout(_PATIENCE):
                for group, messages in parcel.shards.items():
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
            instruments.published.inc(sum(len(events) for _, events in parcel.batches))


def _has_change(batches: Sequence[tuple[UUID, Sequence[Event]]]) -> bool:
    """Whether the state of a run has changed: its own words never say so."""
    return any(event.type in RESERVED for _, events in batches for event in events)
