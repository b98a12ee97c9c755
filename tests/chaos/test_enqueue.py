"""What was accepted is executed whatever dies, and nothing before it is accepted."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.chaos.service.client import enqueue
from tests.chaos.service.marks import marks
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.processes import ROOT
from tests.stacks import Serve

pytestmark = pytest.mark.e2e

TRIALS = 3


def enqueuer(server: LiveServer, how: str, path: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.enqueuer", how, str(path)],
        cwd=ROOT,
        env=server.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def enqueue_and_die(server: LiveServer, path: Path) -> None:
    httpx.get(f"{server.url}/suite/enqueue-and-die/", params={"path": str(path)})


async def test_a_process_that_dies_as_it_has_enqueued(
    serve: Serve, ledger: Ledger, tmp_path: Path
) -> None:
    server = serve().start()
    server.kill()
    for process in [enqueuer(server, "die", tmp_path / "marks") for _ in range(TRIALS)]:
        with process:
            assert process.wait() == -signal.SIGKILL
    assert ledger.statuses() == {"READY": TRIALS}

    server.start()

    await ledger.until(lambda: ledger.statuses() == {"SUCCESSFUL": TRIALS})
    assert marks(tmp_path / "marks") == ["executed"] * TRIALS


async def test_a_server_that_dies_as_its_request_has_enqueued(
    serve: Serve, ledger: Ledger, tmp_path: Path
) -> None:
    server = serve(lease=1.5).start()
    for trial in range(TRIALS):
        with pytest.raises(httpx.TransportError):
            enqueue_and_die(server, tmp_path / "marks")
        assert server.wait() == -signal.SIGKILL
        assert len(ledger.ids()) == trial + 1
        server.start()

    await ledger.until(lambda: ledger.statuses() == {"SUCCESSFUL": TRIALS})
    # The engine was in the same process: it may have executed one that it could not write down.
    assert len(marks(tmp_path / "marks")) >= TRIALS


@pytest.mark.parametrize("how", ["commit", "roll-back"])
async def test_nothing_starts_before_the_commit(
    serve: Serve, ledger: Ledger, tmp_path: Path, how: str
) -> None:
    server = serve(poll=0.05).start()
    with enqueuer(server, how, tmp_path / "marks") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "enqueued\n"
        assert ledger.ids() == []
        time.sleep(1)  # noqa: ASYNC251 - twenty polls: what must not happen gives no sign
        assert marks(tmp_path / "marks") == []
        process.stdin.write("\n")
        process.stdin.close()
        assert process.wait() == 0
    if how == "commit":
        await ledger.until(lambda: ledger.statuses() == {"SUCCESSFUL": 1})
        assert marks(tmp_path / "marks") == ["executed"]
    else:
        # A later run is executed, so the earlier would have been.
        later = enqueue(server, "mark", str(tmp_path / "later"))
        await ledger.until_finished(later)
        assert ledger.ids() == [later]
        assert marks(tmp_path / "marks") == []
