"""The kill soak: a random process dies every two seconds, and all work is done, once."""

import random
from pathlib import Path

import pytest

from tests.chaos.harms import kill
from tests.chaos.service.marks import marks
from tests.chaos.work import Work
from tests.ledger import Ledger
from tests.stacks import Serve, Show, SqliteStack, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.soak, pytest.mark.timeout(900)]

TRIALS = 5
RUNS = 2_000
KILLS = 20
PERIOD = 2.0  # seconds
WATCHERS = 50
LEASE = 3.0


@pytest.mark.parametrize("trial", range(1, TRIALS + 1))
async def test_all_runs_succeed(
    serve: Serve,
    stack: Stack,
    ledger: Ledger,
    rng: random.Random,
    show: Show,
    tmp_path: Path,
    trial: int,
) -> None:
    """With a pause at which the work outlasts the kills: each step of it has one after."""
    processes, pause = (2, 0.15) if isinstance(stack, SqliteStack) else (4, 0.3)
    work = Work(serve, stack, ledger, rng, processes=processes, lease=LEASE)
    kills = work.every(PERIOD, kill, RUNS, KILLS)
    found = await work.do(kills, "step", str(tmp_path), pause=pause, runs=RUNS, watchers=WATCHERS)
    again = sum(run.attempt > 1 for run in found.values())
    most = max(run.attempt for run in found.values())
    show(f"{processes} processes, {RUNS} runs, {KILLS} kills: {again} tried again, up to {most} x")
    assert again
    assert marks(tmp_path / "overlaps") == []
    assert all(run.attempt == run.fence for run in found.values())
