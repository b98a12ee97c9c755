"""Processes that are harmed at random while they work: all work is done, each piece by one."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.harms import Harm, kill, oversleep, terminate
from tests.chaos.service.client import enqueue_many
from tests.chaos.service.marks import marks
from tests.ledger import Ledger, Run
from tests.stacks import Serve, Show, Stack
from tests.watchers import SocketWatcher, StreamWatcher, Watcher, exactly, watching

pytestmark = pytest.mark.e2e

PROCESSES = 2
STEPS = 5  # events of a run, beside those of its states

SHORT = {"runs": 300, "times": 4, "watchers": 10}
LONG = {"runs": 2_000, "times": 20, "watchers": 50}


class Work:
    """Runs in some processes, a few of them watched, while the processes are harmed."""

    def __init__(
        self, serve: Serve, stack: Stack, ledger: Ledger, rng: random.Random, lease: float
    ) -> None:
        self.lease = lease
        self.stack = stack
        self.ledger = ledger
        self.rng = rng
        self.servers = [serve(lease=lease, grace=0.05, concurrency=10) for _ in range(PROCESSES)]
        for server in self.servers:
            server.start()

    async def do(
        self,
        harm: Harm,
        task: str,
        *before: Any,
        pause: float,
        runs: int,
        times: int,
        watchers: int,
    ) -> Mapping[str, Run]:
        """Harm a process so many times, at random numbers of finished runs; what came of it."""
        pauses = [self.rng.uniform(0.5, 1.5) * pause for _ in range(runs)]
        calls = [(*before, number, STEPS, pause) for number, pause in enumerate(pauses)]
        ids = enqueue_many(self.servers[0], task, *calls)
        watched = [self._watcher(*pair) for pair in enumerate(self.rng.sample(ids, watchers))]
        async with watching(watched):
            # The last one comes with work left.
            for moment in sorted(self.rng.sample(range(1, runs * 9 // 10), times)):
                await self.ledger.until_successful(moment)
                await harm(self.rng.choice(self.servers), self.stack, self.lease)
            await self.ledger.until_successful(runs)
        found = {run_id: self.ledger.run(run_id) for run_id in ids}
        assert self.ledger.statuses() == {"SUCCESSFUL": runs}
        assert [run.return_value for run in found.values()] == list(range(runs))
        exactly(watched, self.ledger)
        return found

    def _watcher(self, number: int, run_id: str) -> Watcher:
        ports = self.rng.sample([server.port for server in self.servers], PROCESSES)
        return (StreamWatcher, SocketWatcher)[number % 2](ports, run_id)


def whole(run: Run, log: list[tuple[int, str]]) -> None:
    """The log has no hole, a beginning for each attempt, and one end."""
    kinds = [kind for _, kind in log]
    assert [seq for seq, _ in log] == list(range(1, run.last_seq + 1))
    assert kinds.count("started") == len(run.workers) == run.fence
    assert kinds.index("finished") == len(kinds) - 1


async def killed(work: Work, show: Show, folder: Path, numbers: Mapping[str, int]) -> None:
    found = await work.do(kill, "step", str(folder), pause=0.03, **numbers)
    again = sum(run.attempt > 1 for run in found.values())
    show(f"{numbers}, {again} runs tried again")
    assert again  # or nothing was killed that mattered
    assert marks(folder / "overlaps") == []
    for run_id, run in found.items():
        whole(run, work.ledger.log(run_id))
        assert run.attempt == run.fence


async def terminated(work: Work, show: Show, folder: Path, numbers: Mapping[str, int]) -> None:
    found = await work.do(terminate, "step", str(folder), pause=0.03, **numbers)
    given_back = sum(run.fence > 1 for run in found.values())
    show(f"{numbers}, {given_back} runs given back")
    assert given_back
    assert marks(folder / "overlaps") == []
    for run_id, run in found.items():
        whole(run, work.ledger.log(run_id))
        assert run.attempt == 1


async def frozen(work: Work, show: Show, folder: Path, numbers: Mapping[str, int]) -> None:
    found = await work.do(oversleep, "walk", pause=0.1, **numbers)  # work is left after a sleep
    again = sum(run.attempt > 1 for run in found.values())
    show(f"{numbers}, {again} runs tried again")
    assert again
    for run_id, run in found.items():
        whole(run, work.ledger.log(run_id))


# A dead process keeps its runs for as long as a lease lasts; a short one is soon slept through.
@pytest.mark.parametrize(("harmed", "lease"), [(killed, 3.0), (terminated, 3.0), (frozen, 1.5)])
@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(SHORT, id="short"),
        pytest.param(LONG, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(900)]),
    ],
)
async def test_all_runs_succeed(
    serve: Serve,
    stack: Stack,
    ledger: Ledger,
    rng: random.Random,
    show: Show,
    tmp_path: Path,
    harmed: Any,
    lease: float,
    numbers: Mapping[str, int],
) -> None:
    await harmed(Work(serve, stack, ledger, rng, lease), show, tmp_path, numbers)
