"""A result for whoever asks, on an event loop or not."""

import asyncio
import threading

from tasks.streaming.answer import Answer


class Asked:
    """Gives its answer, and notes in which threads it was asked."""

    def __init__(self, answer: object) -> None:
        self.threads: list[int] = []
        self._answer = answer

    def __call__(self) -> object:
        self.threads.append(threading.get_ident())
        return self._answer


def test_in_sync_code_it_has_been_asked() -> None:
    asked = Asked("yes")
    answer = Answer(asked)
    assert len(asked.threads) == 1
    assert answer
    assert answer.value == "yes"
    assert asyncio.run(answer) == "yes"
    assert asked.threads == [threading.get_ident()]


async def test_on_a_loop_it_is_asked_once_and_elsewhere() -> None:
    asked = Asked("yes")
    answer = Answer(asked)
    assert asked.threads == []
    assert await answer == "yes"
    assert await answer == "yes"
    assert len(asked.threads) == 1
    assert asked.threads[0] != threading.get_ident()


async def test_on_a_loop_it_may_be_a_task() -> None:
    task = asyncio.create_task(Answer(lambda: 5))
    assert await task == 5


async def test_on_a_loop_it_is_a_bool_without_await() -> None:
    asked = Asked(False)
    assert not Answer(asked)
    assert asked.threads[0] != threading.get_ident()
