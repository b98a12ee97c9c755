"""One process deletes old runs while another still streams one of them."""

import json
import socket
from contextlib import closing

import pytest

from tests.chaos.service.client import enqueue, enqueue_many
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import Serve, Show

pytestmark = pytest.mark.e2e

EVENTS, SIZE = 3_000, 8_000  # far more than all buffers on the way hold
AGE = "TaskRun.objects.update(finished_at=F('finished_at') - timedelta(days={days}))"


def age(server: LiveServer, days: float) -> None:
    """Let all runs have ended so much longer ago."""
    imports = "from datetime import timedelta; from django.db.models import F"
    code = f"{imports}; from tasks.models import TaskRun; {AGE.format(days=days)}"
    server.manage("shell", "-c", code)


class SlowReader:
    """A client that reads a stream when it is told to, and then only so much."""

    def __init__(self, port: int, run_id: str) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self._socket.settimeout(20)
        self._socket.connect(("127.0.0.1", port))
        request = f"GET /tasks/{run_id}/events/ HTTP/1.0\r\nHost: localhost\r\n\r\n"
        self._socket.sendall(request.encode())
        self._got = b""

    def read(self, size: int) -> bool:
        """Read *size* bytes or more; False at the end."""
        want = len(self._got) + size
        while len(self._got) < want:
            if not (some := self._socket.recv(65_536)):
                return False
            self._got += some
        return True

    def seqs(self) -> list[int]:
        data = [line for line in self._got.splitlines() if line.startswith(b"data: ")]
        return [json.loads(line.removeprefix(b"data: "))["seq"] for line in data]

    def close(self) -> None:
        self._socket.close()


async def test_a_slow_reader_gets_all_while_another_process_deletes(
    serve: Serve, ledger: Ledger, show: Show
) -> None:
    here, there = serve(role="web").start(), serve().start()
    watched = enqueue(there, "emit_large", EVENTS, SIZE)
    others = enqueue_many(there, "emit", *[(3,)] * 30)
    for run_id in (watched, *others):
        await ledger.until_finished(run_id)
    age(there, days=1)
    with closing(SlowReader(here.port, watched)) as reader:
        assert reader.read(500_000)
        assert "Deleted 30 finished runs" in there.manage("headway_prune", "--runs", "0")
        assert ledger.ids() == [watched]
        assert reader.read(500_000)
        assert "Deleted 0 finished runs" in there.manage("headway_prune", "--days", "0.1")
        while reader.read(1_000_000):
            pass
        assert reader.seqs() == list(range(1, EVENTS + 4))
    show(f"{EVENTS + 3} events read, 30 runs deleted meanwhile")


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_who_reads_for_longer_than_a_mark_lasts_gets_all(
    serve: Serve, ledger: Ledger, show: Show
) -> None:
    here, there = serve(role="web").start(), serve().start()
    watched = enqueue(there, "emit_large", EVENTS, SIZE)
    await ledger.until_finished(watched)
    age(there, days=1)
    deletions = 0
    with closing(SlowReader(here.port, watched)) as reader:
        while reader.read(150_000):  # 24 MB: that takes two minutes
            there.manage("headway_prune", "--runs", "0")
            deletions += 1
        assert reader.seqs() == list(range(1, EVENTS + 4))
    show(f"{EVENTS + 3} events read, {deletions} tries to delete them")
