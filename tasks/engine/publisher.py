"""Handing committed events to the Channels layer, one message a shard."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from channels.layers import get_channel_layer

from tasks.conf import conf
from tasks.engine import waiting
from tasks.events import FINISHED, Event, LayerBatch, layer_batch, layer_message, shard_group

__all__ = ["Publisher"]

logger = logging.getLogger("headway.publisher")


class Publisher:
    """Publishes, and never fails: what the layer loses, the hubs read from the database."""

    def __init__(self) -> None:
        self._silent = False  # the layer failed last time; say so once

    async def publish(self, batches: Sequence[tuple[UUID, Sequence[Event]]]) -> None:
        """Send the events of some runs. Returns when the layer has them, or has failed."""
        shards: dict[str, list[LayerBatch]] = defaultdict(list)
        for run_id, events in batches:
            shards[shard_group(run_id, conf().shards)].append(layer_batch(run_id, events))
        layer = cast(Any, get_channel_layer(conf().channel_layer))
        try:
            for group, messages in shards.items():
                await layer.group_send(group, layer_message(messages))
        except Exception as error:
            if not self._silent:
                logger.warning(
                    "The Channels layer takes no events: %r. Watchers fall back on the database.",
                    error,
                )
            self._silent = True
        else:
            self._silent = False
        for run_id, events in batches:
            if events[-1].type == FINISHED:
                waiting.notify(run_id)
