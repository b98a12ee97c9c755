import asyncio

import pytest

from asgi_app.leanqueue import LeanQueue


async def test_gives_what_it_was_given_in_order() -> None:
    queue = LeanQueue()
    assert queue.empty()
    for number in range(3):
        queue.put_nowait(number)
    assert [await queue.get() for _ in range(3)] == [0, 1, 2]
    assert queue.empty()


async def test_each_item_is_taken_once_whoever_waits() -> None:
    queue = LeanQueue()
    takers = [asyncio.create_task(queue.get()) for _ in range(3)]
    await asyncio.sleep(0)  # they wait now
    for number in range(3):
        queue.put_nowait(number)
    assert sorted(await asyncio.gather(*takers)) == [0, 1, 2]


async def test_who_is_cancelled_with_an_item_in_sight_leaves_it() -> None:
    queue = LeanQueue()
    first = asyncio.create_task(queue.get())
    await asyncio.sleep(0)  # they wait now
    queue.put_nowait("item")
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await asyncio.wait_for(queue.get(), 5) == "item"
