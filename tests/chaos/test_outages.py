"""PostgreSQL and Redis that go away and come back, again and again, under work."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos.outages import Breakable, breakable
from tests.chaos.service.client import enqueue_many
from tests.chaos.service.marks import marks
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.services.service import Service
from tests.stacks import SERVICE, Serve, Show
from tests.watchers import SocketWatcher, StreamWatcher, exactly, watching

pytestmark = [pytest.mark.e2e, pytest.mark.servers]

LEASE = 2.0  # seconds
PROCESSES = 2
LENGTHY = 10  # runs that no outage is too short for
PROBE = 2_000  # trivial runs by which throughput is measured

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
) -> None:
    runs = numbers.runs
    service: Service = getattr(stack, broken)
    servers = [
        serve(lease=LEASE, grace=1, concurrency=20, complains=True).start()
        for _ in range(PROCESSES)
    ]
    processes = [server.process.pid for server in servers]
    ports = [server.port for server in servers]
    long = numbers is LONG
    before = await throughput(servers[0], ledger, tmp_path / "probe") if long else 0.0

    whole = (numbers.least + numbers.most) / 2 * numbers.times
    step = whole * PROCESSES * 20 / runs / 5  # so that the work lasts as long as the outages
    slow = min(numbers.pause * 1.5, 20.0) / 5  # what is begun anew at last is awaited
    calls = [
        (str(tmp_path), number, 5, slow if number < LENGTHY else step) for number in range(runs)
    ]
    ids = enqueue_many(servers[0], "step", *calls)
    kinds = (StreamWatcher, SocketWatcher)
    watchers = [
        kinds[number % 2](rng.sample(ports, PROCESSES), run_id)
        for number, run_id in enumerate(rng.sample(ids, numbers.watchers))
    ]
    async with watching(watchers):
        await ledger.until(lambda: ledger.log(ids[0])[1:])
        for _ in range(numbers.times):
            await asyncio.sleep(rng.uniform(numbers.least, numbers.most))  # the rate is the test's
            await asyncio.to_thread(breaks, service, numbers.pause)
        await ledger.until(lambda: ledger.statuses()["RUNNING"] + ledger.statuses()["READY"] == 0)

    found = [ledger.run(run_id) for run_id in ids]
    assert {run.status for run in found} == {"SUCCESSFUL"}
    assert [run.return_value for run in found] == list(range(runs))
    assert marks(tmp_path / "overlaps") == []
    exactly(watchers, ledger)
    assert [server.process.poll() for server in servers] == [None] * PROCESSES
    assert [server.process.pid for server in servers] == processes

    again = sum(run.attempt > 1 for run in found)
    show(f"{again} of {runs} runs tried again")
    if broken == "postgres" and breaks is not restart:
        assert again  # these outages outlast a lease
    if long:
        after = await throughput(servers[0], ledger, tmp_path / "probe")
        show(f"{before:.0f} runs/s before, {after:.0f} after")
        assert after >= 0.95 * before


async def throughput(server: LiveServer, ledger: Ledger, path: Path) -> float:
    """Trivial runs a second, the best of five times."""
    found = []
    for _ in range(5):
        before = ledger.statuses()["SUCCESSFUL"]
        began = time.monotonic()
        enqueue_many(server, "mark", *[(str(path),)] * PROBE)
        await ledger.until_successful(before + PROBE)
        found.append(PROBE / (time.monotonic() - began))
    return max(found)
