"""Benches for watchers and hubs."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.layers import stand_in

from .hubbench import Bench as HubBench
from .watchbench import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
async def hub_bench(settings: Any) -> AsyncIterator[HubBench]:
    settings.HEADWAY = {"RECONCILE": 3600, "SHARDS": 4}
    made = HubBench()
    restore = stand_in(made.layer)
    await made.serve()
    yield made
    await made.stop()
    restore()
