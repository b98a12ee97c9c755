"""Processes whose clocks are minutes apart: leases are judged by the database's."""

import time
from pathlib import Path

import pytest

from tasks.engine.store.dialect import as_moment
from tests.chaos.service.client import enqueue_many
from tests.chaos.service.marks import marks
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import Serve, Show

pytestmark = pytest.mark.e2e

LEASE = 1.5  # seconds
SHIFT = 120.0  # seconds, ahead and behind
RUNS = 10


def shifted(serve: Serve, seconds: float) -> LiveServer:
    server = serve(lease=LEASE, concurrency=RUNS)
    server.env["DJANGO_SETTINGS_MODULE"] = "tests.chaos.clocks.settings"
    server.env["TEST_CLOCK_SHIFT"] = str(seconds)
    return server.start()


def clock(ledger: Ledger, run_id: str) -> float:
    """How far the clock of who has begun the run was ahead of this process's."""
    _, events = ledger.everything(run_id)
    (at,) = [row[3] for row in events if row[2] == "started"]
    return as_moment(at).timestamp() - time.time()


async def test_nothing_is_rescued_early_and_nothing_late(
    serve: Serve, ledger: Ledger, tmp_path: Path
) -> None:
    ahead, behind = shifted(serve, SHIFT), shifted(serve, -SHIFT)
    steps = 5
    ids = [
        run_id
        for server in (ahead, behind)
        for run_id in enqueue_many(
            server, "step", *[(str(tmp_path), server.port + n, steps, LEASE) for n in range(RUNS)]
        )
    ]
    await ledger.until(lambda: ledger.statuses() == {"RUNNING": len(ids)})
    clocks = [clock(ledger, run_id) for run_id in ids]
    assert max(clocks) > SHIFT - 60  # or the shift is none
    assert min(clocks) < -SHIFT + 60

    await ledger.until_successful(len(ids))  # after five leases

    assert {ledger.run(run_id).attempt for run_id in ids} == {1}
    assert marks(tmp_path / "overlaps") == []


@pytest.mark.parametrize("dies", ["ahead", "behind"])
async def test_a_dead_process_is_noticed_in_time(
    serve: Serve, ledger: Ledger, show: Show, tmp_path: Path, dies: str
) -> None:
    dead = shifted(serve, SHIFT if dies == "ahead" else -SHIFT)
    (run_id,) = enqueue_many(dead, "rest", (str(tmp_path / "marks"), 3600))
    await ledger.until(lambda: len(ledger.log(run_id)) == 3)  # queued, started, resting
    shifted(serve, -SHIFT if dies == "ahead" else SHIFT)

    dead.kill()
    killed = time.monotonic()
    await ledger.until_finished(run_id)
    took = time.monotonic() - killed

    show(f"{took:.1f} s")
    assert LEASE / 2 < took < LEASE + 1.5  # a lease, at most a second, and the run itself
    assert [kind for _, kind in ledger.log(run_id)].count("started") == 2
