"""A process of the previous release goes on beside a new one, before and after the migration."""

import asyncio
from pathlib import Path

import pytest

from tests.chaos.service.client import enqueue_many
from tests.chaos.service.marks import marks
from tests.ledger import Ledger, Run
from tests.live import LiveServer
from tests.stacks import Show
from tests.watchers import SocketWatcher, StreamWatcher, Watcher, exactly, watching

pytestmark = [pytest.mark.e2e, pytest.mark.upgrade, pytest.mark.timeout(180)]

RUNS, STEPS, PAUSE = 24, 5, 0.1


class Work:
    """Runs that two releases share, and watchers on both."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ids: list[str] = []

    def enqueue(self, server: LiveServer) -> list[str]:
        first = len(self.ids)
        calls = [(str(self._folder), first + n, STEPS, PAUSE) for n in range(RUNS)]
        made = enqueue_many(server, "step", *calls)
        self.ids += made
        return made

    def check(self, ledger: Ledger) -> None:
        """All have succeeded, each executed by one at a time, and no log has a hole."""
        assert ledger.statuses() == {"SUCCESSFUL": len(self.ids)}
        assert marks(self._folder / "overlaps") == []
        for number, run_id in enumerate(self.ids):
            run = ledger.run(run_id)
            assert run.return_value == number
            assert [seq for seq, _ in ledger.log(run_id)] == list(range(1, run.last_seq + 1))


def watchers(runs: list[str], ports: list[int]) -> list[Watcher]:
    """Two for each of some runs; they go to the other process when theirs ends."""
    turned = ports[::-1]
    return [
        watcher
        for run_id in runs[::6]
        for watcher in (StreamWatcher(ports, run_id), SocketWatcher(turned, run_id))
    ]


def had(run: Run, server: LiveServer) -> bool:
    """Whether this process has executed the run, or does."""
    return any(f":{server.process.pid}:" in worker for worker in run.workers)


def begun(ledger: Ledger, ids: list[str], server: LiveServer) -> bool:
    """Whether this process has only just begun some of the runs."""
    runs = [ledger.run(run_id) for run_id in ids]
    return any(run.status == "RUNNING" and run.last_seq <= 4 and had(run, server) for run in runs)


@pytest.mark.parametrize("dies", ["old", "new"])
async def test_two_releases_beside_each_other(
    old: LiveServer, new: LiveServer, ledger: Ledger, show: Show, tmp_path: Path, dies: str
) -> None:
    work = Work(tmp_path)
    old.start()
    early = work.enqueue(old)
    watched = watchers(early, [old.port])
    async with watching(watched):
        await ledger.until_successful(4)
        # Under the hands of a process that works, and of clients that watch.
        await asyncio.to_thread(new.manage, "migrate", "--no-input")
        await asyncio.to_thread(new.start)
    exactly(watched, ledger)
    late = work.enqueue(old) + work.enqueue(new)
    goes, stays = (old, new) if dies == "old" else (new, old)
    watched = watchers(late, [old.port, new.port])
    async with watching(watched):
        await ledger.until_successful(len(early) + 8)
        await ledger.until(lambda: begun(ledger, late, goes))
        goes.kill()
        shares = [sum(had(ledger.run(run_id), one) for run_id in late) for one in (old, new)]
        await ledger.until_successful(len(work.ids))
    exactly(watched, ledger)
    work.check(ledger)
    rescued = sum(ledger.run(run_id).fence > 1 for run_id in late)
    show(f"{shares} runs of each when the {dies} one died, {rescued} rescued by the other")
    assert all(shares)
    assert rescued
    assert "Traceback" not in stays.output
    stays.terminate()
    assert stays.wait() == 0


async def test_the_previous_release_starts_on_the_new_schema(
    old: LiveServer, new: LiveServer, ledger: Ledger, tmp_path: Path
) -> None:
    """As after a new release that was taken back: its migrations stay."""
    work = Work(tmp_path)
    old.start()
    new.manage("migrate", "--no-input")
    old.terminate()
    old.restart()
    runs = work.enqueue(old)
    watched = watchers(runs, [old.port])
    async with watching(watched):
        pass
    exactly(watched, ledger)
    await ledger.until_successful(RUNS)
    work.check(ledger)
    assert "Traceback" not in old.output
