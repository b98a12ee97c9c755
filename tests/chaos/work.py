"""Runs that are worked off while the processes are harmed."""

import asyncio
import random
from collections.abc import Awaitable, Mapping
from typing import Any

from tests.chaos.harms import Harm
from tests.chaos.service.client import enqueue_many
from tests.ledger import Ledger, Run
from tests.services import Nginx
from tests.stacks import Serve, Stack
from tests.watchers import SocketWatcher, StreamWatcher, Watcher, exactly, watching

__all__ = ["Work", "whole"]

STEPS = 5  # events of a run, beside those of its states
AT_ONCE = 10  # runs in a process
PATIENCE = 300.0  # seconds for what is left after the last harm


class Work:
    """Some processes behind nginx, and runs in them of which a few are watched."""

    def __init__(
        self,
        serve: Serve,
        stack: Stack,
        ledger: Ledger,
        rng: random.Random,
        *,
        processes: int,
        lease: float,
    ) -> None:
        self.lease = lease
        self.stack = stack
        self.ledger = ledger
        self.rng = rng
        keys = {"lease": lease, "grace": 0.05, "concurrency": AT_ONCE}
        self.servers = [serve(**keys).start() for _ in range(processes)]

    async def do(
        self,
        harms: Awaitable[None],
        task: str,
        *before: Any,
        pause: float,
        runs: int,
        watchers: int,
    ) -> Mapping[str, Run]:
        """Have so many runs done while *harms* happen; what became of them."""
        pauses = [self.rng.uniform(0.5, 1.5) * pause for _ in range(runs)]
        calls = [(*before, number, STEPS, pause) for number, pause in enumerate(pauses)]
        with Nginx([server.port for server in self.servers]) as nginx:
            ids = enqueue_many(nginx, task, *calls)
            watched: list[Watcher] = [
                (StreamWatcher, SocketWatcher)[number % 2](nginx.port, run_id)
                for number, run_id in enumerate(self.rng.sample(ids, watchers))
            ]
            async with watching(watched):
                await harms
                await self.ledger.until_successful(runs, PATIENCE)
        found = {run_id: self.ledger.run(run_id) for run_id in ids}
        assert self.ledger.statuses() == {"SUCCESSFUL": runs}
        assert [run.return_value for run in found.values()] == list(range(runs))
        exactly(watched, self.ledger)
        for run_id, run in found.items():
            whole(run, self.ledger.log(run_id))
        return found

    async def at_random(self, harm: Harm, runs: int, times: int) -> None:
        """Harm a process so many times, at random numbers of finished runs."""
        # The last one comes with work left.
        for moment in sorted(self.rng.sample(range(1, runs * 9 // 10), times)):
            await self.ledger.until_successful(moment)
            await harm(self.rng.choice(self.servers), self.stack, self.lease)

    async def every(self, seconds: float, harm: Harm, runs: int, times: int) -> None:
        """Harm a process by the clock, or as soon as the last one is up again."""
        for _ in range(times):
            harmed = harm(self.rng.choice(self.servers), self.stack, self.lease)
            await asyncio.gather(harmed, asyncio.sleep(seconds))  # it is the clock
        assert self.ledger.statuses()["SUCCESSFUL"] < runs, "at last nothing was left to harm"


def whole(run: Run, log: list[tuple[int, str]]) -> None:
    """The log has no hole, a beginning for each attempt, and one end."""
    kinds = [kind for _, kind in log]
    assert [seq for seq, _ in log] == list(range(1, run.last_seq + 1))
    assert kinds.count("started") == len(run.workers) == run.fence
    assert kinds.index("finished") == len(kinds) - 1
