"""Pipelines whose processes are killed at every turn."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.chaos.service.stages import STAGES
from tests.chaos.work import whole
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import Serve, Show

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

LEASE = 1.0
INSIDE = [f"inside {number}" for number in range(1, STAGES + 1)]
BOUNDARIES = [
    f"{where} {number}" for number in range(STAGES + 1) for where in ("before", "within", "after")
]
FEW = ["before 0", "inside 2", "within 2", "before 3", "inside 5", "after 5"]

PIPELINES = 90
KILLS = 25


def result(first: int) -> int:
    for number in range(1, STAGES + 1):
        first = first * 2 + number
    return first


def submit(server: LiveServer, path: Path, pause: float, count: int) -> list[str]:
    code = f"from tests.chaos.service.stages import submit; submit({str(path)!r}, {pause}, {count})"
    return server.manage("shell", "--no-imports", "-c", code).split()[-count:]


@asynccontextmanager
async def kept_up(servers: list[LiveServer]) -> AsyncIterator[None]:
    """Whoever dies is started again."""
    over = False

    async def look() -> None:
        while not over:
            for server in servers:
                if server.process.poll() is not None:
                    assert await asyncio.to_thread(server.wait) == -signal.SIGKILL, server.output
                    server.start(wait=False)  # it may die before it has anything to say
            await asyncio.sleep(0.02)  # it is another process's end

    looking = asyncio.ensure_future(look())
    try:
        yield
    finally:
        over = True
        await looking  # nobody is left half started


def sound(ledger: Ledger, stages: dict[str, str], run_id: str, value: int) -> int:
    """Every stage was one run that has ended once; how many attempts were lost in all."""
    run = ledger.run(run_id)
    assert (run.status, run.return_value) == ("SUCCESSFUL", value)
    log = ledger.log(run_id)
    whole(run, log)
    kinds = [kind for _, kind in log if kind.startswith("stage.")]
    assert kinds == ["stage.started", "stage.finished"] * STAGES
    own = {
        key.rsplit(":", 1)[1]: stage
        for key, stage in stages.items()
        if run_id.replace("-", "") in key
    }
    assert sorted(own) == [f"s{number}" for number in range(1, STAGES + 1)]
    lost = 0
    for stage in own.values():
        found = ledger.run(stage)
        assert found.status == "SUCCESSFUL"
        whole(found, ledger.log(stage))
        lost += found.fence - 1
    return lost


async def at_points(serve: Serve, ledger: Ledger, folder: Path, points: list[str]) -> int:
    faults = folder / "faults"
    faults.mkdir()
    for point in points:
        (faults / point).touch()
    keys = {"lease": LEASE, "lost_attempts": 20, "concurrency": 1}
    servers = [serve(server="worker", **keys) for _ in range(2)]
    for server in servers:
        server.env["SUITE_FAULTS"] = str(faults)
        server.start()
    (run_id,) = submit(servers[0], folder / "marks", 0.0, 1)
    async with kept_up(servers):
        await ledger.until(lambda: ledger.statuses().keys() == {"SUCCESSFUL"}, 150)
        with suppress(TimeoutError):  # the last of them comes when all is committed
            await ledger.until(lambda: not any(faults.iterdir()))
    assert [point.name for point in faults.iterdir()] == []
    return sound(ledger, ledger.keys(), run_id, result(0))


async def test_it_goes_on_from_the_first_stage_that_has_not_ended(
    serve: Serve, ledger: Ledger, tmp_path: Path
) -> None:
    await at_points(serve, ledger, tmp_path, FEW)


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_at_every_boundary_and_inside_every_stage(
    serve: Serve, ledger: Ledger, tmp_path: Path, show: Show
) -> None:
    lost = await at_points(serve, ledger, tmp_path, INSIDE + BOUNDARIES)
    show(f"{len(INSIDE + BOUNDARIES)} kills, {lost} attempts of stages lost, none after its end")
    assert lost >= STAGES


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_at_random(
    serve: Serve, ledger: Ledger, tmp_path: Path, rng: random.Random, show: Show
) -> None:
    """With a pause at which the work outlasts the kills."""
    keys = {"lease": LEASE, "lost_attempts": 20, "concurrency": 4}
    servers = [serve(server="worker", **keys).start() for _ in range(2)]
    ids = submit(servers[0], tmp_path / "marks", 0.6, PIPELINES)
    async with kept_up(servers):
        for _ in range(KILLS):
            await asyncio.sleep(rng.uniform(0.5, 2.0))  # it is when chance kills
            server = rng.choice(servers)
            if server.process.poll() is None:
                server.signal(signal.SIGKILL)
        left = PIPELINES - sum(ledger.run(run_id).status == "SUCCESSFUL" for run_id in ids)
        await ledger.until(lambda: ledger.statuses().keys() == {"SUCCESSFUL"}, 600)
    keys_ = ledger.keys()
    lost = sum(sound(ledger, keys_, run_id, result(n)) for n, run_id in enumerate(ids))
    show(f"{PIPELINES} pipelines, {KILLS} kills: {lost} attempts of stages lost, {left} left then")
    assert left
    assert lost
