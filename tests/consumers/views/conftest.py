"""A supervisor beside the hub."""

from collections.abc import AsyncIterator

import pytest

from consumers.feeds.hub import Hub
from tasks.testing import running_supervisor


@pytest.fixture
async def engine(hub: Hub) -> AsyncIterator[None]:
    async with running_supervisor():
        yield
