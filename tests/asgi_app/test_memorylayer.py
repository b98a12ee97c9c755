"""The layer of a process that is alone: what a group is sent, every member gets."""

import asyncio
from typing import Any

import pytest

from asgi_app.memorylayer import MemoryLayer


async def test_each_member_gets_a_copy_in_order() -> None:
    layer = MemoryLayer()
    for name in ("one", "other"):
        await layer.group_add("group", name)
    message: dict[str, Any] = {"type": "news", "numbers": [1]}
    await layer.group_send("group", message)
    message["numbers"].append(2)
    await layer.group_send("group", message)
    for name in ("one", "other"):
        first, second = await layer.receive(name), await layer.receive(name)
        assert (first["numbers"], second["numbers"]) == ([1], [1, 2])
        first["numbers"].clear()  # is the receiver's own


async def test_who_waits_is_woken() -> None:
    layer = MemoryLayer()
    await layer.group_add("group", "one")
    waiting = asyncio.create_task(layer.receive("one"))
    await asyncio.sleep(0)  # it waits now
    await layer.group_send("group", {"type": "news"})
    assert await waiting == {"type": "news"}
    assert not layer.channels


async def test_a_member_that_reads_nothing_keeps_nobody_else_from_it() -> None:
    layer = MemoryLayer(capacity=2)
    await layer.group_add("group", "slow")
    await layer.group_add("group", "quick")
    for number in range(3):
        await layer.group_send("group", {"type": "news", "number": number})
        assert (await layer.receive("quick"))["number"] == number
    assert [(await layer.receive("slow"))["number"] for _ in range(2)] == [0, 1]
    assert "slow" not in layer.channels


async def test_nobody_is_there() -> None:
    await MemoryLayer().group_send("group", {"type": "news"})


async def test_what_is_sent_to_one_who_is_then_cancelled_is_the_next_ones() -> None:
    layer = MemoryLayer()
    await layer.group_add("group", "one")
    waiting = asyncio.create_task(layer.receive("one"))
    await asyncio.sleep(0)  # it waits now
    for number in range(3):
        await layer.group_send("group", {"type": "news", "number": number})
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert [(await layer.receive("one"))["number"] for _ in range(3)] == [0, 1, 2]


async def test_one_who_was_cancelled_before_gets_nothing() -> None:
    layer = MemoryLayer()
    await layer.group_add("group", "one")
    waiting = asyncio.create_task(layer.receive("one"))
    await asyncio.sleep(0)  # it waits now
    waiting.cancel()
    await layer.group_send("group", {"type": "news"})
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert await layer.receive("one") == {"type": "news"}


async def test_of_two_who_wait_each_gets_one() -> None:
    layer = MemoryLayer()
    both = [asyncio.create_task(layer.receive("one")) for _ in range(2)]
    await asyncio.sleep(0)  # they wait now
    for number in range(2):
        await layer.send("one", {"type": "news", "number": number})
    assert sorted([found["number"] for found in await asyncio.gather(*both)]) == [0, 1]
    assert not layer.channels


@pytest.mark.parametrize("name", ["", "no spaces", "x" * 200])
async def test_a_name_that_no_layer_takes_is_refused(name: str) -> None:
    layer = MemoryLayer()
    with pytest.raises(TypeError):
        await layer.group_send(name, {"type": "news"})
    with pytest.raises(TypeError):
        await layer.receive(name)
