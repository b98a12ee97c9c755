"""A worker whose way to the database falls silent: no refusal, no reset, nothing."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from asgi_app.silence import GIVEN_UP_AFTER
from tests.chaos.namespace import Namespace
from tests.chaos.service.client import enqueue
from tests.chaos.service.marks import marks
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.services.proxy import Proxy
from tests.stacks import SERVICE, Serve, Stack

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


class Remote(LiveServer):
    """A worker in a network of its own."""

    namespace: Namespace

    def command(self) -> list[str]:
        return self.namespace.command(super().command())


@pytest.fixture
def remote(stack: Stack, tmp_path: Path) -> Iterator[Remote]:
    """A worker that reaches database and layer through a cable, and nothing else."""
    keys = {"HEADWAY_LEASE": str(LEASE), "HEADWAY_POLL": "0.1", "HEADWAY_APPS": SERVICE}
    with ExitStack() as ways:
        namespace = ways.enter_context(Namespace())
        for name, url in stack.env.items():
            keys[name] = ways.enter_context(Proxy(url, host=namespace.host)).url
        made = ways.enter_context(Remote(tmp_path / "data", keys, server="worker"))
        made.namespace = namespace
        yield made


@pytest.mark.soak  # it needs root
@pytest.mark.timeout(180)
@pytest.mark.parametrize("task", ["rest", "rest_in_thread"])
async def test_packets_that_vanish(
    serve: Serve, remote: Remote, ledger: Ledger, tmp_path: Path, task: str
) -> None:
    path = tmp_path / "marks"
    remote.start()
    healthy = serve(role="web").start()
    run_id = enqueue(healthy, task, str(path), 3600)
    await ledger.until(lambda: len(ledger.log(run_id)) == 3)  # queued, started, resting
    rescuer = serve(lease=LEASE).start()

    remote.namespace.cut()
    await ledger.until_finished(run_id)

    first, second = remote.process.pid, rescuer.process.pid
    end = f"{first} cancelled" + (", RunLost" if task == "rest_in_thread" else "")
    assert marks(path) == [f"{first} begun", end, f"{second} begun", f"{second} ended"]
    rescuer.kill()
    # Its connections are given up while the network is still silent.
    for said in ("waits for the database", "channels_redis.*exception in receive"):
        await asyncio.to_thread(remote.wait_line, said, GIVEN_UP_AFTER + 10)

    remote.namespace.mend()

    other = enqueue(healthy, "mark", str(tmp_path / "other"))
    await ledger.until_finished(other)
    assert marks(tmp_path / "other") == ["executed"]
    assert remote.process.poll() is None
