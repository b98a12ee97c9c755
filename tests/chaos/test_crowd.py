"""Several workers on one long queue: they share it, and none does what another has done."""

import time
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.service.client import enqueue_many
from tests.chaos.service.marks import marks
from tests.ledger import Ledger
from tests.stacks import Serve, Show

pytestmark = pytest.mark.e2e

WORKERS = 4
A_REQUEST = 2_000  # runs


@pytest.mark.parametrize(
    "runs",
    [
        pytest.param(2_000, id="short"),
        pytest.param(20_000, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(600)]),
    ],
)
async def test_no_run_is_executed_twice(
    serve: Serve, ledger: Ledger, show: Show, tmp_path: Path, runs: int
) -> None:
    path = tmp_path / "marks"
    web = serve(role="web").start()
    for first in range(0, runs, A_REQUEST):
        calls = [(str(path), number) for number in range(first, min(runs, first + A_REQUEST))]
        enqueue_many(web, "count", *calls)
    assert ledger.statuses() == {"READY": runs}
    began = time.monotonic()
    # All at once, so that they meet at the head of the queue.
    workers = [serve(server="worker", concurrency=100).start(wait=False) for _ in range(WORKERS)]
    await ledger.until_successful(runs, patience=300)
    show(
        f"{runs} runs in {time.monotonic() - began:.1f} s, the start of {WORKERS} workers included"
    )
    assert Counter(marks(path)) == Counter(str(number) for number in range(runs))
    assert ledger.statuses() == {"SUCCESSFUL": runs}
    assert ledger.attempts() == {(1, 1): runs}
    took = ledger.workers()
    show(f"shares: {sorted(took.values())}")
    assert len(took) > 1, workers
