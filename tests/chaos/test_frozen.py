"""A process that sleeps through its lease wakes up to find its run another's."""

import asyncio
from pathlib import Path

import pytest

from tests.chaos.harms import freeze
from tests.chaos.service.client import enqueue, enqueue_many
from tests.chaos.service.marks import marks
from tests.ledger import Ledger
from tests.stacks import Serve, Stack

pytestmark = pytest.mark.e2e

LEASE = 1.5  # seconds
EVENTS = 400


@pytest.mark.parametrize("task", ["rest", "rest_in_thread"])
async def test_it_changes_nothing_and_ends_its_attempt(
    serve: Serve, stack: Stack, ledger: Ledger, tmp_path: Path, task: str
) -> None:
    path = tmp_path / "marks"
    frozen = serve(lease=LEASE, grace=5).start()
    run_id = enqueue(frozen, task, str(path), 3600)
    await ledger.until(lambda: len(ledger.log(run_id)) == 3)  # queued, started, resting
    await freeze(frozen, stack)
    healthy = serve(lease=LEASE).start()
    await ledger.until_finished(run_id)
    finished = ledger.everything(run_id)
    first, second = frozen.process.pid, healthy.process.pid
    assert marks(path) == [f"{first} begun", f"{second} begun", f"{second} ended"]

    frozen.thaw()

    await ledger.until(lambda: len(marks(path)) == 4)
    end = marks(path)[-1]
    # A coroutine is cancelled; a thread finds that it is asked to end, and can emit no more.
    assert end == f"{first} cancelled" + (", RunLost" if task == "rest_in_thread" else "")
    frozen.wait_line("has lost its lease|is another process's now")
    # Whatever it still held is written, or dropped, by the time that it has drained.
    frozen.terminate()
    assert frozen.wait() == 0
    assert ledger.everything(run_id) == finished
    assert ledger.run(run_id).attempt == 2


@pytest.mark.parametrize("moment", ["after the other has finished", "while the other is at it"])
async def test_it_drops_what_it_has_not_committed(
    serve: Serve, stack: Stack, ledger: Ledger, moment: str
) -> None:
    """Frozen amid its events, it goes on with them when it wakes up."""
    frozen = serve(lease=LEASE, grace=5).start()
    run_id = enqueue(frozen, "emit", EVENTS, 0.005)
    await ledger.until(lambda: len(ledger.log(run_id)) > EVENTS / 10)
    await freeze(frozen, stack)
    seen = len(ledger.log(run_id))
    healthy = serve(lease=LEASE).start()
    if moment == "while the other is at it":
        await ledger.until(lambda: len(ledger.log(run_id)) > seen + EVENTS / 10)
        frozen.thaw()
        await ledger.until_finished(run_id)
        finished = ledger.everything(run_id)
    else:
        await ledger.until_finished(run_id)
        finished = ledger.everything(run_id)
        frozen.thaw()

    frozen.wait_line("has lost its lease|is another process's now")
    for server in (frozen, healthy):
        server.terminate()
        assert server.wait() == 0
    assert ledger.everything(run_id) == finished
    # What the frozen one had committed, then all of the other's: its second attempt.
    log = [kind for _, kind in ledger.log(run_id)]
    again = log.index("retrying")
    assert again >= seen  # PostgreSQL may have ended a commit of a client that was frozen by then
    assert log[again:] == ["retrying", "started", *["tick"] * EVENTS, "finished"]
    assert (ledger.run(run_id).status, ledger.run(run_id).attempt) == ("SUCCESSFUL", 2)


async def test_alone_it_goes_on(serve: Serve, stack: Stack, ledger: Ledger, tmp_path: Path) -> None:
    """Nobody took the runs: it keeps them, or rescues them, and never has one twice."""
    server = serve(lease=LEASE).start()
    ids = enqueue_many(server, "step", *[(str(tmp_path), number, 20, 0.02) for number in range(20)])
    await ledger.until(lambda: ledger.statuses()["RUNNING"] == len(ids))
    await freeze(server, stack)
    await asyncio.sleep(LEASE + 0.5)  # nothing happens in a frozen process
    server.thaw()

    await ledger.until(lambda: ledger.statuses() == {"SUCCESSFUL": len(ids)})
    assert marks(tmp_path / "overlaps") == []
    for run_id in ids:
        kinds = [kind for _, kind in ledger.log(run_id)]
        assert kinds.count("started") == ledger.run(run_id).attempt
        assert kinds.count("finished") == 1
