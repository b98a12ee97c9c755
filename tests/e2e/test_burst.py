"""A burst from a sync function, with the settings that there are by default."""

from pathlib import Path

import pytest

from tests.bundles import BundleSocketWatcher, BundleStreamWatcher
from tests.chaos.service.client import enqueue
from tests.chaos.service.marks import leave
from tests.ledger import Ledger
from tests.stacks import Serve
from tests.watchers import End, SocketWatcher, StreamWatcher, Watcher, exactly, watching

pytestmark = pytest.mark.e2e

EVENTS = 5_000


async def test_all_watchers_have_all_of_it(serve: Serve, ledger: Ledger, tmp_path: Path) -> None:
    server = serve().start()
    run_id = enqueue(server, "burst_in_thread", str(tmp_path / "go"), EVENTS)
    watchers: list[Watcher] = []
    for kind in (StreamWatcher, SocketWatcher):
        watchers += [kind(server.port, run_id) for _ in range(9)]
    bundles = [
        BundleStreamWatcher(server.port, [run_id]),
        BundleSocketWatcher(server.port, [run_id]),
    ]
    async with watching([*watchers, *bundles]):
        for watcher in watchers:
            await watcher.reach(2)
        leave(str(tmp_path / "go"), "go")
    exactly([*watchers, *(bundle.parts[run_id] for bundle in bundles)], ledger)
    assert watchers[0].cursor == EVENTS + 3
    assert all(watcher.ends == [End.FINISHED] for watcher in watchers)
