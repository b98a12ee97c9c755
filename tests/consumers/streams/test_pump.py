"""Carrying a source to a client that may go at any moment."""

import asyncio

import pytest

from consumers.feeds.follower import Signal
from consumers.streams.pump import pump


class Source:
    """Gives one item, and then waits until it is closed."""

    def __init__(self, item: object) -> None:
        self._items = [item]
        self._closed = asyncio.Event()

    def __aiter__(self) -> "Source":
        return self

    async def __anext__(self) -> object:
        if self._items:
            return self._items.pop()
        await self._closed.wait()
        raise StopAsyncIteration

    def close(self) -> None:
        self._closed.set()


@pytest.mark.parametrize("item", [Signal.HEARTBEAT, Signal.FAREWELL, "an event"])
async def test_a_client_that_goes_is_told_nothing(item: object) -> None:
    written = asyncio.Event()

    async def write(found: object) -> None:
        written.set()

    async def gone() -> None:
        await written.wait()

    assert await pump(Source(item), write, gone()) is None


async def test_the_last_word_is_given() -> None:
    source = Source(Signal.FAREWELL)
    source.close()

    async def write(found: object) -> None:
        assert found is Signal.FAREWELL

    assert await pump(source, write, asyncio.Event().wait()) is Signal.FAREWELL  # type: ignore[arg-type]
