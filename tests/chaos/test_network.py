"""A worker whose way to the database falls silent: no refusal, no reset, nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.service.client import enqueue
from tests.chaos.service.marks import marks
from tests.ledger import Ledger
from tests.services.proxy import Proxy
from tests.stacks import Serve, Stack

# SQLite is a file, to which there is no network.
pytestmark = [pytest.mark.e2e, pytest.mark.servers]

LEASE = 2.0  # seconds


@pytest.fixture
def proxy(stack: Stack) -> Iterator[Proxy]:
    with Proxy(stack.env["DATABASE_URL"]) as made:
        yield made


@pytest.mark.parametrize("task", ["rest", "rest_in_thread"])
async def test_it_ends_its_runs_before_others_begin_them(
    serve: Serve, proxy: Proxy, ledger: Ledger, tmp_path: Path, task: str
) -> None:
    path = tmp_path / "marks"
    cut_off = serve(lease=LEASE)
    cut_off.env["DATABASE_URL"] = proxy.url
    cut_off.start()
    run_id = enqueue(cut_off, task, str(path), 3600)
    await ledger.until(lambda: len(ledger.log(run_id)) == 3)  # queued, started, resting
    healthy = serve(lease=LEASE).start()

    proxy.cut()
    await ledger.until_finished(run_id)

    first, second = cut_off.process.pid, healthy.process.pid
    end = f"{first} cancelled" + (", RunLost" if task == "rest_in_thread" else "")
    assert marks(path) == [f"{first} begun", end, f"{second} begun", f"{second} ended"]
    assert ledger.run(run_id).attempt == 2
    finished = ledger.everything(run_id)
    healthy.kill()

    proxy.mend()

    # Without a hand it is back, and what it had not written is dropped.
    other = enqueue(cut_off, "mark", str(tmp_path / "other"))
    await ledger.until_finished(other)
    assert marks(tmp_path / "other") == ["executed"]
    cut_off.terminate()
    assert cut_off.wait() == 0
    assert ledger.everything(run_id) == finished
