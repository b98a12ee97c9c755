"""The layer of a process that is alone: what a group is sent, every member gets."""

import asyncio
from typing import Any

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
