"""How many watch a run of real servers."""

from pathlib import Path

import pytest

from tests.chaos.service.client import enqueue
from tests.chaos.service.marks import leave
from tests.ledger import Ledger
from tests.stacks import Serve, Stack
from tests.watchers import SocketWatcher, StreamWatcher, watching

pytestmark = pytest.mark.e2e


async def test_watchers_of_two_processes_are_counted(
    serve: Serve, stack: Stack, ledger: Ledger, tmp_path: Path
) -> None:
    servers = [serve(), serve(role="web")]
    one, two = (server.start() for server in servers)
    end = str(tmp_path / "end")
    run_id = enqueue(one, "rest_until", end)

    def watched() -> list[int]:
        rows = stack.rows(
            "SELECT watchers FROM headway_audience WHERE run_id = ? AND watchers > 0",
            [stack.key(run_id)],
        )
        return sorted(row[0] for row in rows)

    watchers = [
        StreamWatcher(one.port, run_id),
        SocketWatcher(one.port, run_id),
        StreamWatcher(two.port, run_id),
    ]
    async with watching(watchers):
        await ledger.until(lambda: watched() == [1, 2])
        leave(end, "now")
    await ledger.until(lambda: watched() == [])
    for server in servers:
        server.terminate()
        assert server.wait() == 0
