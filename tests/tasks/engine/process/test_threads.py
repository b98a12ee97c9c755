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
