"""Processes that are killed at random while they work: all work is done, each piece by one."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.chaos.service.client import enqueue_many
from tests.chaos.service.marks import marks
from tests.ledger import Ledger
from tests.stacks import Serve, Show
from tests.watchers import SocketWatcher, StreamWatcher, Watcher, exactly, watching

pytestmark = pytest.mark.e2e

PROCESSES = 2
STEPS = 5  # events of a run, beside those of its states


async def kill_at_random(
    serve: Serve,
    ledger: Ledger,
    rng: random.Random,
    show: Show,
    folder: Path,
    *,
    runs: int,
    kills: int,
    watchers: int,
) -> None:
    servers = [serve(lease=3, concurrency=10).start() for _ in range(PROCESSES)]
    calls = [(str(folder), number, STEPS, rng.uniform(0.01, 0.05)) for number in range(runs)]
    ids = enqueue_many(servers[0], "step", *calls)
    watched: list[Watcher] = []
    for number, run_id in enumerate(rng.sample(ids, watchers)):
        ports = rng.sample([server.port for server in servers], PROCESSES)
        watched.append((StreamWatcher, SocketWatcher)[number % 2](ports, run_id))
    # The last kill comes with work left that is lost with it.
    moments = sorted(rng.sample(range(1, runs * 9 // 10), kills))
    async with watching(watched):
        for moment in moments:
            await ledger.until_successful(moment)
            victim = rng.choice(servers)
            await asyncio.to_thread(victim.kill)
            await asyncio.to_thread(victim.start)
        await ledger.until_successful(runs)

    rows = {run_id: ledger.run(run_id) for run_id in ids}
    again = sum(run.attempt > 1 for run in rows.values())
    show(f"{kills} kills at {moments} of {runs} runs finished, {again} runs tried again")
    assert ledger.statuses() == {"SUCCESSFUL": runs}
    assert marks(folder / "overlaps") == []
    assert {run.return_value for run in rows.values()} == set(range(runs))
    assert again  # or nothing was killed that mattered
    for run_id, run in rows.items():
        log = ledger.log(run_id)
        assert [seq for seq, _ in log] == list(range(1, run.last_seq + 1))
        kinds = [kind for _, kind in log]
        assert kinds.count("started") == run.attempt == len(run.workers) == run.fence
        assert kinds.count("finished") == 1
        assert kinds[-1] == "finished"
    exactly(watched, ledger)


async def test_all_runs_succeed_whatever_is_killed(
    serve: Serve, ledger: Ledger, rng: random.Random, show: Show, tmp_path: Path
) -> None:
    await kill_at_random(serve, ledger, rng, show, tmp_path, runs=300, kills=4, watchers=10)


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_all_of_many_runs_succeed_whatever_is_killed(
    serve: Serve, ledger: Ledger, rng: random.Random, show: Show, tmp_path: Path
) -> None:
    await kill_at_random(serve, ledger, rng, show, tmp_path, runs=2_000, kills=20, watchers=50)
