"""An endpoint, and who asks it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tasks.agents.chat import ChatCompletions
from tasks.testing import running_supervisor
from tests.tasks.agents import cast
from tests.tasks.agents.endpoint import Endpoint
from tests.tasks.agents.endpoint import endpoint as serving

KEY = "sk-not-to-be-seen-by-anybody"


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    """On stage for the agents of the cast."""
    async with serving() as made:
        cast.STAGE.provider = ChatCompletions(
            base_url=made.url, model="tiny", api_key=KEY, longest_wait=0.05
        )
        yield made


@pytest.fixture
async def supervisor(settings: Any) -> AsyncIterator[None]:
    settings.HEADWAY = {"BACKOFF": 0.01}
    async with running_supervisor():
        yield


@pytest.fixture(autouse=True)
def deeds() -> Iterator[None]:
    cast.DEEDS.clear()
    cast.GATE.clear()
    yield
    cast.GATE.set()
