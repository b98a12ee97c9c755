import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import FrameType
from typing import Any

import pytest

from tasks.engine.process.lastresort import LAST_RESORT, LastResort
from tasks.engine.process.signals import StopSignals

ambient: ContextVar[str] = ContextVar("ambient")


class Recorded(LastResort):
    """Never ends the process: remembers what it was armed with."""

    def __init__(self) -> None:
        super().__init__()
        self.armed: list[float] = []

    def arm(self, seconds: float, code: int = 0) -> None:
        self.armed.append(seconds)


class Stop:
    """What was asked, and in which context."""

    def __init__(self) -> None:
        self.counts: asyncio.Queue[int] = asyncio.Queue()
        self.found: list[str] = []

    def __call__(self, count: int) -> None:
        self.found.append(ambient.get("nothing"))
        self.counts.put_nowait(count)


@pytest.fixture(autouse=True)
def previous(settings: Any) -> Iterator[list[int]]:
    """Signals that reach the handler which was there before, instead of ending the tests."""
    settings.HEADWAY = {"GRACE": 7}
    reached: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        reached.append(number)

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    yield reached
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signals_are_counted_in_the_loop(number: int, previous: list[int]) -> None:
    stop, last_resort = Stop(), Recorded()
    StopSignals(stop, last_resort).install()

    os.kill(os.getpid(), number)
    assert await stop.counts.get() == 1
    os.kill(os.getpid(), number)
    assert await stop.counts.get() == 2

    assert last_resort.armed == [7 + LAST_RESORT, LAST_RESORT]
    assert previous == []


async def test_chained_the_first_also_reaches_who_had_it_before(previous: list[int]) -> None:
    stop = Stop()
    StopSignals(stop, Recorded(), chain=True).install()

    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    assert [await stop.counts.get(), await stop.counts.get()] == [1, 2]

    assert len(previous) == 1


async def test_nothing_of_the_interrupted_context_is_passed_on() -> None:
    stop = Stop()
    StopSignals(stop, Recorded()).install()
    ambient.set("a request")

    os.kill(os.getpid(), signal.SIGTERM)
    await stop.counts.get()

    assert stop.found == ["nothing"]


async def test_a_signal_that_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    StopSignals(Stop(), Recorded()).install()

    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


async def test_restored_they_are_whose_they_were(previous: list[int]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    signals = StopSignals(Stop(), Recorded())
    signals.install()
    taken: Callable[..., Any] = lambda number, frame: None  # noqa: E731
    signal.signal(signal.SIGINT, taken)

    signals.restore()

    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.getsignal(signal.SIGINT) is taken
