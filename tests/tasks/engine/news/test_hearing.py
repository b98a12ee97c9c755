"""What is heard, and what is joined, on a layer that fails at times."""

import asyncio
import logging
from collections import deque
from typing import Any

import pytest

from tasks.engine.news import hearing
from tasks.engine.news.hearing import Hearing


class Layer:
    """Brings what lies here, in order; an exception is raised. Nothing more comes, ever."""

    def __init__(self, *brings: dict[str, Any] | Exception) -> None:
        self._brings = deque(brings)
        self.groups: set[str] = set()
        self.fails = False

    async def new_channel(self) -> str:
        return "specific.one!two"

    async def receive(self, channel: str) -> dict[str, Any]:
        if not self._brings:
            await asyncio.Event().wait()
        if isinstance(item := self._brings.popleft(), Exception):
            raise item
        return item

    async def group_add(self, group: str, channel: str) -> None:
        if self.fails:
            raise ConnectionError
        self.groups.add(group)

    async def group_discard(self, group: str, channel: str) -> None:
        self.groups.discard(group)


def hears(monkeypatch: pytest.MonkeyPatch, layer: Layer) -> "tuple[Hearing, asyncio.Queue[Any]]":
    heard: asyncio.Queue[Any] = asyncio.Queue()
    monkeypatch.setattr(hearing, "channel_layers", {"default": layer})
    return Hearing(heard.put_nowait), heard


async def test_what_comes_after_a_failure_is_heard(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    layer = Layer({"number": 1}, ConnectionError("away"), {"number": 2})
    listener, heard = hears(monkeypatch, layer)
    await listener.follow({"a"})
    layer.groups.clear()  # with the layer's memory
    with caplog.at_level(logging.INFO, "headway.layer"):
        listening = asyncio.create_task(listener.listen())
        assert [(await heard.get())["number"] for _ in range(2)] == [1, 2]
    listening.cancel()
    await asyncio.wait({listening})
    said = [record.getMessage().partition(";")[0] for record in caplog.records]
    assert said[:1] == ["Receiving from CHANNEL_LAYERS['default'] fails"]
    await listener.follow({"a"})
    assert layer.groups == {"a"}


async def test_a_group_that_could_not_be_joined_is_joined_when_it_can_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layer = Layer()
    listener, _ = hears(monkeypatch, layer)
    layer.fails = True
    await listener.follow({"a"})
    assert layer.groups == set()
    layer.fails = False
    await listener.follow({"a"})
    assert layer.groups == {"a"}
