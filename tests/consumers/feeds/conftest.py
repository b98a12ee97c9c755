"""Benches for watchers and hubs."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.layers import channel_layers

from .hubbench import Bench as HubBench
from .watchbench import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
async def hub_bench(settings: Any) -> AsyncIterator[HubBench]:
    settings.HEADWAY = {"RECONCILE": 3600, "SHARDS": 4}
    made = HubBench()
    before = channel_layers.set("default", made.layer)
    await made.serve()
    yield made
    await made.stop()
    if before is not None:
        channel_layers.set("default", before)
