"""PostgreSQL and Redis that go away and come back, again and again, under work."""

import asyncio
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.chaos.outages import Breakable, breakable
from tests.chaos.service.client import enqueue_many
from tests.chaos.service.marks import marks
from tests.ledger import Ledger, Run
from tests.live import LiveServer
from tests.services.service import Service
from tests.stacks import SERVICE, Serve, Show
from tests.watchers import SocketWatcher, StreamWatcher, exactly, watching

pytestmark = [pytest.mark.e2e, pytest.mark.servers]

LEASE = 2.0  # seconds
PROCESSES = 2
LENGTHY = 10  # runs that no outage is too short for
PATIENCE = 300.0  # seconds for what the outages have left
PROBE = 300  # trivial runs by which throughput is measured
PROBES = 120  # times

Break = Callable[[Service, float], None]


def restart(service: Service, pause: float) -> None:
    """Gone in an instant, with every connection, and back at once."""
    service.restart()


def crash(service: Service, pause: float) -> None:
    """Gone without a farewell; *pause* seconds later it is back."""
    service.kill()
    time.sleep(pause)  # it is down meanwhile
    service.start()


def freeze(service: Service, pause: float) -> None:
    """Silent for *pause* seconds, with every connection open."""
    service.pause()
    time.sleep(pause)  # it says nothing meanwhile
    service.resume()


@dataclass(frozen=True)
class Numbers:
    runs: int
    times: int
    least: float  # seconds between two outages
    most: float
    pause: float
    watchers: int


SHORT = Numbers(runs=200, times=2, least=1, most=2, pause=LEASE * 1.5, watchers=10)
LONG = Numbers(runs=4_000, times=14, least=5, most=40, pause=30, watchers=50)


@pytest.fixture
def stack() -> Iterator[Breakable]:
    with breakable(SERVICE) as made:
        yield made


class Side(NamedTuple):
    servers: list[LiveServer]
    ledger: Ledger


@pytest.fixture
def control(serve: Serve, numbers: Numbers) -> Iterator[Side | None]:
    """The same on servers that nobody breaks: what has become of the machine meanwhile."""
    if numbers is SHORT:
        yield None
        return
    with breakable(SERVICE) as undisturbed:
        made = [work(serve) for _ in range(PROCESSES)]
        for server in made:
            server.env.update(undisturbed.env)
            server.start()
        yield Side(made, Ledger(undisturbed))
        for server in made:
            server.close()


def work(serve: Serve) -> LiveServer:
    return serve(lease=LEASE, grace=1, concurrency=20, complains=True)


class Rate:
    """Trivial runs that two processes do a second, and a second of their CPU, beside the control.

    The CPU tells what a run costs whatever else the machine does; the clock tells whether
    somebody waits who need not. The machine's pace changes by more than what is asked for,
    so each probe is compared with one of the control's right beside it.
    """

    def __init__(self, side: Side, control: Side, path: Path) -> None:
        self._side, self._control = side, control
        self._path = path

    async def now(self) -> tuple[float, float]:
        """By the clock, the median of many comparisons; by CPU, that of all together."""
        ratios: list[float] = []
        ours = theirs = 0.0
        for _ in range(PROBES):
            rate, used = await self._measure(self._side)
            beside, needed = await self._measure(self._control)
            ratios.append(rate / beside)
            ours, theirs = ours + used, theirs + needed
        return statistics.median(ratios), theirs / ours

    async def _measure(self, side: Side) -> tuple[float, float]:
        before = side.ledger.statuses()["SUCCESSFUL"]
        used = -sum(server.usage().cpu for server in side.servers)
        began = time.monotonic()
        enqueue_many(side.servers[0], "mark", *[(str(self._path),)] * PROBE)
        await side.ledger.until_successful(before + PROBE)
        rate = PROBE / (time.monotonic() - began)
        return rate, used + sum(server.usage().cpu for server in side.servers)


def pieces(numbers: Numbers, folder: str) -> list[tuple[Any, ...]]:
    """Work that lasts as long as the outages, and a few runs that none is too short for."""
    whole = (numbers.least + numbers.most) / 2 * numbers.times
    step = whole * PROCESSES * 20 / numbers.runs / 5
    slow = min(numbers.pause * 1.5, 20.0) / 5  # what is begun anew at last is awaited
    return [(folder, n, 5, slow if n < LENGTHY else step) for n in range(numbers.runs)]


def some(
    numbers: Numbers, rng: random.Random, ports: list[int], ids: list[str]
) -> list[StreamWatcher | SocketWatcher]:
    kinds = (StreamWatcher, SocketWatcher)
    return [
        kinds[number % 2](rng.sample(ports, PROCESSES), run_id)
        for number, run_id in enumerate(rng.sample(ids, numbers.watchers))
    ]


async def again_and_again(
    breaks: Callable[[float], None], numbers: Numbers, rng: random.Random
) -> None:
    for _ in range(numbers.times):
        await asyncio.sleep(rng.uniform(numbers.least, numbers.most))  # the rate is the test's
        await asyncio.to_thread(breaks, numbers.pause)


def all_done(ledger: Ledger, ids: list[str]) -> list[Run]:
    found = [ledger.run(run_id) for run_id in ids]
    assert {run.status for run in found} == {"SUCCESSFUL"}
    assert [run.return_value for run in found] == list(range(len(ids)))
    return found


@pytest.mark.parametrize("broken", ["postgres", "redis"])
@pytest.mark.parametrize("breaks", [restart, pytest.param(crash, marks=pytest.mark.soak), freeze])
@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(SHORT, id="short", marks=pytest.mark.timeout(180)),
        pytest.param(LONG, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(1800)]),
    ],
)
async def test_nothing_is_lost_and_no_process_needs_a_hand(
    serve: Serve,
    stack: Breakable,
    ledger: Ledger,
    rng: random.Random,
    show: Show,
    tmp_path: Path,
    broken: str,
    breaks: Break,
    numbers: Numbers,
    control: Side | None,
) -> None:
    servers = [work(serve).start() for _ in range(PROCESSES)]
    processes = [server.process.pid for server in servers]
    rate = Rate(Side(servers, ledger), control, tmp_path / "probe") if control else None
    before = await rate.now() if rate else (0.0, 0.0)

    ids = enqueue_many(servers[0], "step", *pieces(numbers, str(tmp_path)))
    watchers = some(numbers, rng, [server.port for server in servers], ids)
    async with watching(watchers):
        await ledger.until(lambda: ledger.log(ids[0])[1:])
        await again_and_again(partial(breaks, getattr(stack, broken)), numbers, rng)
        await ledger.until(
            lambda: ledger.statuses()["RUNNING"] + ledger.statuses()["READY"] == 0, PATIENCE
        )

    found = all_done(ledger, ids)
    assert marks(tmp_path / "overlaps") == []
    exactly(watchers, ledger)
    assert [server.process.poll() for server in servers] == [None] * PROCESSES
    assert [server.process.pid for server in servers] == processes

    again = sum(run.attempt > 1 for run in found)
    show(f"{again} of {numbers.runs} runs tried again")
    if broken == "postgres" and breaks is not restart:
        assert again  # these outages outlast a lease
    if rate:
        after = await rate.now()
        show(f"throughput beside the control's, by the clock and by CPU: {before}, then {after}")
        assert after[0] >= 0.95 * before[0]
        assert after[1] >= 0.95 * before[1]
