"""Processes that are harmed at random while they work: all work is done, each piece by one."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.harms import kill, oversleep, terminate
from tests.chaos.service.marks import marks
from tests.chaos.work import Work
from tests.ledger import Ledger
from tests.stacks import Serve, Show, Stack

pytestmark = pytest.mark.e2e

PROCESSES = 2

SHORT = {"runs": 300, "times": 4, "watchers": 10}
LONG = {"runs": 2_000, "times": 20, "watchers": 50}

Numbers = Mapping[str, int]


async def killed(work: Work, show: Show, folder: Path, numbers: Numbers) -> None:
    harms = work.at_random(kill, numbers["runs"], numbers["times"])
    found = await work.do(harms, "step", str(folder), pause=0.03, **wanted(numbers))
    again = sum(run.attempt > 1 for run in found.values())
    show(f"{numbers}, {again} runs tried again")
    assert again  # or nothing was killed that mattered
    assert marks(folder / "overlaps") == []
    assert all(run.attempt == run.fence for run in found.values())


async def terminated(work: Work, show: Show, folder: Path, numbers: Numbers) -> None:
    harms = work.at_random(terminate, numbers["runs"], numbers["times"])
    found = await work.do(harms, "step", str(folder), pause=0.03, **wanted(numbers))
    given_back = sum(run.fence > 1 for run in found.values())
    show(f"{numbers}, {given_back} runs given back")
    assert given_back
    assert marks(folder / "overlaps") == []
    assert [run for run in found.values() if run.attempt != 1] == []


async def frozen(work: Work, show: Show, folder: Path, numbers: Numbers) -> None:
    harms = work.at_random(oversleep, numbers["runs"], numbers["times"])
    # Work is left after a sleep.
    found = await work.do(harms, "walk", pause=0.1, **wanted(numbers))
    again = sum(run.attempt > 1 for run in found.values())
    show(f"{numbers}, {again} runs tried again")
    assert again


def wanted(numbers: Numbers) -> dict[str, int]:
    return {key: numbers[key] for key in ("runs", "watchers")}


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
    numbers: Numbers,
) -> None:
    work = Work(serve, stack, ledger, rng, processes=PROCESSES, lease=lease)
    await harmed(work, show, tmp_path, numbers)
