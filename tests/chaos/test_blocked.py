"""A task that blocks the event loop is a nuisance, and not dead."""

from pathlib import Path

import pytest

from tests.chaos.service.client import enqueue
from tests.chaos.service.marks import marks
from tests.ledger import Ledger
from tests.stacks import Serve

pytestmark = pytest.mark.e2e

LEASE = 1.0  # seconds


@pytest.mark.parametrize("task", ["block_asleep", "block_computing"])
async def test_a_blocked_loop_keeps_its_runs(
    serve: Serve, ledger: Ledger, tmp_path: Path, task: str
) -> None:
    path = tmp_path / "marks"
    servers = [serve(lease=LEASE, blocked_loop=0.5).start() for _ in range(2)]
    run_id = enqueue(servers[0], task, str(path), 3 * LEASE + 0.5)
    await ledger.until(lambda: marks(path))
    (blocked,) = (server for server in servers if str(server.process.pid) in marks(path))

    await ledger.until_finished(run_id)

    assert len(marks(path)) == 1  # begun once
    run = ledger.run(run_id)
    assert (run.attempt, run.fence, len(run.workers)) == (1, 1, 1)
    assert [kind for _, kind in ledger.log(run_id)] == ["queued", "started", "finished"]
    named = rf"event loop has been blocked for .* by run tests\.chaos\.service\.tasks\.{task}\["
    blocked.wait_line(named)
    assert run_id in blocked.output
    assert any(task in line for line in blocked.lines if line.strip().startswith("File"))
    for server in servers:
        assert "rescued" not in server.output
        assert "lost its lease" not in server.output
