"""What is tried again, and what is not."""

import asyncio
import time
from email.utils import formatdate

import pytest

from tasks.agents.chat import ChatCompletions
from tasks.agents.contract import Waiting
from tasks.agents.errors import ProviderBusy, ProviderError
from tests.tasks.agents.chats import pieces, provider, whole
from tests.tasks.agents.endpoint import Endpoint, answered, closed, saying


async def test_rate_limits_are_waited_for(endpoint: Endpoint) -> None:
    limit = answered(429, '{"error": {"message": "slow down"}}', Retry_After="0.02")
    endpoint.will(limit, answered(503), saying("now"))
    first, second, *rest = await pieces(provider(endpoint))
    assert first == Waiting(0.02, "The endpoint answered 429: slow down")
    assert isinstance(second, Waiting)
    assert 0 < second.seconds <= 0.05
    assert whole(rest) == "now"


async def test_a_date_to_come_back_at(endpoint: Endpoint) -> None:
    endpoint.will(answered(429, Retry_After=formatdate(time.time() - 5, usegmt=True)), saying("a"))
    waiting, *_ = await pieces(provider(endpoint))
    assert waiting == Waiting(0.0, "The endpoint answered 429: {}")


async def test_nobody_waits_for_longer_than_he_may(endpoint: Endpoint) -> None:
    endpoint.will(answered(429, Retry_After="3600"))
    with pytest.raises(ProviderBusy) as caught:
        await pieces(provider(endpoint))
    assert (caught.value.status, caught.value.retry_after) == (429, 3600)
    assert len(endpoint.asked) == 1


async def test_patience_ends(endpoint: Endpoint) -> None:
    endpoint.will(*[answered(500, "boom")] * 3)
    with pytest.raises(ProviderBusy, match="500: boom"):
        await pieces(provider(endpoint, retries=2))
    assert len(endpoint.asked) == 3


async def test_a_connection_that_is_closed_is_tried_again(endpoint: Endpoint) -> None:
    endpoint.will(closed(), saying("here"))
    waiting, *rest = await pieces(provider(endpoint))
    assert isinstance(waiting, Waiting)
    assert whole(rest) == "here"


async def test_nobody_there() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    asked = ChatCompletions(base_url=f"http://127.0.0.1:{port}", model="m", retries=0)
    with pytest.raises(ProviderError, match="cannot be reached"):
        await pieces(asked)
