"""Publishing never fails and never holds up the journal."""

import asyncio
import time
from typing import Any

import pytest

from tasks.engine.writing import publisher as module
from tasks.engine.writing.publisher import Publisher, pack
from tasks.events import Event, new_event
from tasks.ids import new_run_id


class FakeLayer:
    def __init__(self) -> None:
        self.mood = "well"
        self.asked = 0
        self.sent: list[tuple[str, Any]] = []

    async def group_send(self, group: str, message: Any) -> None:
        self.asked += 1
        if self.mood == "hangs":
            await asyncio.Event().wait()
        if self.mood == "fails":
            raise ConnectionError("no Redis")
        self.sent.append((group, message))


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> FakeLayer:
    fake = FakeLayer()
    monkeypatch.setattr(module, "get_channel_layer", lambda _: fake)
    return fake


def some_events() -> list[tuple[Any, list[Event]]]:
    return [(new_run_id(), [new_event(3, "tick", n)]) for n in range(64)]


async def test_one_message_a_shard(layer: FakeLayer, settings: Any) -> None:
    settings.HEADWAY = {"SHARDS": 4}
    await Publisher().publish(pack(some_events()))
    assert len(layer.sent) == 4
    assert sum(len(message["batches"]) for _, message in layer.sent) == 64


@pytest.mark.parametrize("mood", ["hangs", "fails"])
async def test_a_layer_in_trouble_is_left_alone_for_a_while(
    layer: FakeLayer, mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.2)
    publisher = Publisher()
    layer.mood = mood
    begin = time.monotonic()
    for _ in range(20):
        await publisher.publish(pack(some_events()))
    assert time.monotonic() - begin < 2  # and not twenty times the patience
    assert layer.asked == 1
    layer.mood = "well"
    await asyncio.sleep(0.25)  # as long as the layer is left alone
    await publisher.publish(pack(some_events()))
    assert layer.sent


async def test_without_a_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "get_channel_layer", lambda _: None)
    await Publisher().publish(pack(some_events()))
