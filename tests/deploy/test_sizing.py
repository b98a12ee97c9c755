"""What a process holds and a unit of work costs, for the table in ``deploy/README.md``.

``pytest -m bench tests/deploy/test_sizing.py`` prints it. Memory and CPU time are the
software's; how many a second that makes is the machine's.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.chaos.service.client import enqueue, enqueue_many
from tests.deploy.knocking import knocking
from tests.deploy.site import Site, site
from tests.deploy.units import UnitProcess
from tests.ledger import Ledger
from tests.processes import usage
from tests.services.stack import PostgresStack
from tests.stacks import SERVICE, Show
from tests.watchers import SocketWatcher, StreamWatcher, Watcher, watching

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

WARM, IDLE = 100, 1_000  # watchers
CROWD = 100  # watchers
CLIENTS = 20
QUIET = 30.0  # seconds: two heartbeats
EVENTS = 500
RUNS = 3_000


@pytest.fixture
def up(servers: Mapping[str, str], tmp_path: Path) -> Iterator[tuple[Site, PostgresStack]]:
    with site(tmp_path / "site", servers) as made:
        yield made


def cpu(processes: Sequence[UnitProcess]) -> float:
    return sum(usage(process.process.pid).cpu for process in processes)


def rss(processes: Sequence[UnitProcess]) -> int:
    return sum(usage(process.process.pid).rss for process in processes)


def megabytes(count: float) -> str:
    return f"{count / 1024**2:.0f} MB"


async def test_a_process(up: tuple[Site, PostgresStack], show: Show) -> None:
    served, stack = up
    await asyncio.to_thread(enqueue_many, served, "emit", *((1,) for _ in range(200)))
    await Ledger(stack).until_successful(200)
    for kind, processes in (("web", served.web), ("worker", served.workers)):
        connections = [stack.connections(process.process.pid) for process in processes]
        show(f"{kind}: {megabytes(rss(processes) / 2)}, database connections {connections}")
    for kind, processes in (("web", served.web), ("worker", served.workers)):
        before = cpu(processes)
        await asyncio.sleep(QUIET)  # what it costs to do nothing
        show(f"{kind}, idle: {(cpu(processes) - before) / 2 / QUIET:.1%} of a core")


@pytest.mark.parametrize("kind", [StreamWatcher, SocketWatcher])
async def test_idle_watchers(
    up: tuple[Site, PostgresStack], show: Show, tmp_path: Path, kind: type[Watcher]
) -> None:
    served, _ = up
    end = tmp_path / "end"
    run_id = await asyncio.to_thread(enqueue, served, "rest_until", str(end))
    watchers = [kind(served.listening.port, run_id) for _ in range(WARM + IDLE)]
    async with asyncio.TaskGroup() as group:
        before = 0
        for number, watcher in enumerate(watchers):
            if number == WARM:  # what is taken once is not a watcher's
                before = rss(served.web)
            group.create_task(watcher.watch())
            await watcher.reach(3)  # queued, started, resting
        held, began = rss(served.web) - before, cpu(served.web)
        await asyncio.sleep(QUIET)  # heartbeats are all there is
        quiet = cpu(served.web) - began
        end.touch()
    show(f"{held / IDLE / 1024:.0f} KB each; all {len(watchers)}: {quiet / QUIET:.1%} of a core")


@pytest.mark.parametrize("kind", [StreamWatcher, SocketWatcher])
async def test_deliveries(up: tuple[Site, PostgresStack], show: Show, kind: type[Watcher]) -> None:
    served, _ = up
    run_id = await asyncio.to_thread(enqueue, served, "emit", EVENTS, 0.02)
    watchers = [kind(served.listening.port, run_id) for _ in range(CROWD)]
    before = cpu(served.web), cpu(served.workers)
    async with watching(watchers):
        pass
    web, workers = cpu(served.web) - before[0], cpu(served.workers) - before[1]
    show(f"{web / EVENTS / CROWD * 1e6:.0f} µs of web for each, {workers / EVENTS * 1e3:.2f} ms")


async def test_runs(up: tuple[Site, PostgresStack], show: Show) -> None:
    """Of a task that does nothing: what is left is the engine's."""
    served, stack = up
    before = cpu(served.workers)
    began = asyncio.get_running_loop().time()
    await asyncio.to_thread(enqueue_many, served, "emit", *((0,) for _ in range(RUNS)))
    await Ledger(stack).until_successful(RUNS)
    took = asyncio.get_running_loop().time() - began
    cost = (cpu(served.workers) - before) / RUNS
    show(f"{cost * 1e3:.2f} ms of worker for each, {RUNS / took:.0f} a second by two workers")


async def test_connections(up: tuple[Site, PostgresStack], show: Show) -> None:
    """To the database, while clients enqueue and ask as fast as they can."""
    served, stack = up
    most = dict.fromkeys(("web", "worker"), 0)
    async with knocking(served.url, (f"{SERVICE}.tasks.emit", [5]), hands=CLIENTS) as knocks:
        for _ in range(100):
            for kind, processes in (("web", served.web), ("worker", served.workers)):
                held = max(stack.connections(process.process.pid) for process in processes)
                most[kind] = max(most[kind], held)
            await asyncio.sleep(0.05)  # between two looks
    show(f"at most {most} in a process, with {CLIENTS} clients: {knocks}")
