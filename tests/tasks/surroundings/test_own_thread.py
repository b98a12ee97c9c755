"""Iterating in a thread over what may block."""

import threading
from collections.abc import Iterator
from contextlib import aclosing
from contextvars import ContextVar

import pytest

from tasks.surroundings.own_thread import in_own_thread

ambient: ContextVar[str] = ContextVar("ambient", default="none")


async def test_all_values_are_made_in_one_thread_that_is_not_the_loops() -> None:
    def values() -> Iterator[tuple[int, str]]:
        for _ in range(20):
            yield threading.get_ident(), ambient.get()

    ambient.set("the caller's")
    found = {value async for value in in_own_thread(values())}
    assert len(found) == 1
    ((thread, seen),) = found
    assert thread != threading.get_ident()
    assert seen == "the caller's"


async def test_what_it_raises_is_raised() -> None:
    def values() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    made = in_own_thread(values())
    assert await anext(made) == 1
    with pytest.raises(ZeroDivisionError):
        await anext(made)


async def test_who_leaves_early_has_it_closed_in_its_thread() -> None:
    closed = threading.Event()
    threads: list[int] = []

    def values() -> Iterator[int]:
        threads.append(threading.get_ident())
        try:
            while True:
                yield 1
        finally:
            threads.append(threading.get_ident())
            closed.set()

    async with aclosing(in_own_thread(values())) as values_:
        async for _ in values_:
            break
    assert closed.wait(20)
    assert threads[0] == threads[1]


async def test_what_is_no_generator_is_iterated_too() -> None:
    assert [value async for value in in_own_thread([None, 0, 2])] == [None, 0, 2]
