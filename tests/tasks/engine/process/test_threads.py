"""A thread that talks to the database, asked from a loop and from other threads."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from django.db import OperationalError

from tasks.engine.process.threads import DatabaseThread


@pytest.fixture
def thread() -> Iterator[DatabaseThread]:
    found = DatabaseThread("headway-test")
    yield found
    found.close()


def broken() -> None:
    raise OperationalError("gone")


async def test_answers_and_errors_come_back(thread: DatabaseThread) -> None:
    assert await thread.call(threading.get_ident) != threading.get_ident()
    assert await thread.call(max, 1, 2) == 2
    with pytest.raises(OperationalError, match="gone"):
        await thread.call(broken)
    assert await thread.call(dict, a=1) == {"a": 1}


async def test_one_after_another_from_wherever(thread: DatabaseThread) -> None:
    order: list[int] = []
    calls = [asyncio.ensure_future(thread.call(order.append, number)) for number in range(50)]
    await asyncio.sleep(0)  # all of them are under way
    later = thread.submit(order.append, 50)
    await asyncio.gather(*calls)
    later.result()
    assert order == list(range(51))


async def test_who_is_cancelled_before_it_begins_is_not_served(thread: DatabaseThread) -> None:
    began, go, done = threading.Event(), threading.Event(), list[str]()

    def wait() -> None:
        began.set()
        go.wait()
        done.append("1")

    first = asyncio.ensure_future(thread.call(wait))
    second = asyncio.ensure_future(thread.call(done.append, "2"))
    await asyncio.to_thread(began.wait)
    first.cancel()  # it goes on, and nobody is told
    second.cancel()
    await asyncio.wait({first, second})
    go.set()
    await thread.call(done.append, "3")
    assert done == ["1", "3"]


def test_a_loop_that_is_closed_is_not_told(thread: DatabaseThread) -> None:
    go = threading.Event()

    async def leave() -> None:
        asked = asyncio.ensure_future(thread.call(go.wait))
        await asyncio.sleep(0)  # it is under way
        asked.cancel()

    asyncio.run(leave())
    go.set()
    assert thread.submit(max, 1, 2).result() == 2


async def test_it_looks_between_calls_and_beside_them(thread: DatabaseThread) -> None:
    """Also where calls never end: each finds the next one waiting."""
    looked, busy = asyncio.Semaphore(0), True
    loop, looks = asyncio.get_running_loop(), list[float]()

    def look() -> None:
        looks.append(loop.time())
        loop.call_soon_threadsafe(looked.release)

    async def call_on_and_on() -> None:
        while busy:
            await thread.call(threading.get_ident)

    patrol = asyncio.create_task(thread.patrol(look, 0.001))
    for _ in range(3):
        await looked.acquire()
    calling = [asyncio.create_task(call_on_and_on()) for _ in range(3)]
    for _ in range(10):
        await looked.acquire()
    busy = False
    await asyncio.wait(calling)
    patrol.cancel()
    await asyncio.wait([patrol])
    await thread.call(threading.get_ident)  # whatever look was under way is over
    seen = len(looks)
    await asyncio.sleep(0.02)  # twenty times as long as between two looks
    await thread.call(threading.get_ident)
    assert len(looks) == seen


async def test_what_looking_raises_is_raised_and_calls_go_on(thread: DatabaseThread) -> None:
    def look() -> None:
        raise OSError("no such file")

    with pytest.raises(OSError, match="no such file"):
        await thread.patrol(look, 0.001)
    assert await thread.call(int, "1") == 1
