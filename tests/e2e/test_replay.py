"""What is stored joins what comes: joiners at any moment, and long logs."""

import asyncio
import random
import socket
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.service.client import enqueue
from tests.chaos.service.marks import leave
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import Serve, Show
from tests.watchers import SocketWatcher, StreamWatcher, Watcher, exactly, watching

pytestmark = pytest.mark.e2e


async def join(watcher: Watcher, leader: Watcher, moment: int) -> None:
    """Let *watcher* in once the other has seen so many events."""
    await leader.reach(moment)
    await watcher.watch()


async def join_at_random(
    serve: Serve,
    ledger: Ledger,
    rng: random.Random,
    show: Show,
    path: Path,
    *,
    joiners: int,
    span: int,
) -> None:
    """Some join, at random moments of the first *span* events, a run that waits for all."""
    server = serve().start()
    run_id = enqueue(server, "emit_until", str(path))
    leader = StreamWatcher(server.port, run_id)
    watchers: list[Watcher] = [
        SocketWatcher(server.port, run_id, batch=True)
        if number % 5 == 0
        else StreamWatcher(server.port, run_id)
        for number in range(joiners)
    ]
    async with watching([leader]), asyncio.TaskGroup() as group:
        for watcher in watchers:
            group.create_task(join(watcher, leader, rng.randint(1, span)))
        for watcher in watchers:
            await watcher.reach(1)
        assert not leader.finished
        leave(str(path), "all have joined")
    exactly([leader, *watchers], ledger)
    show(f"{joiners} joined while {leader.cursor} events were emitted")


async def test_joiners_at_random_moments_see_no_seam(
    serve: Serve, ledger: Ledger, rng: random.Random, show: Show, tmp_path: Path
) -> None:
    await join_at_random(serve, ledger, rng, show, tmp_path / "marks", joiners=200, span=2_000)


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_joiners_of_a_long_run_see_no_seam(
    serve: Serve, ledger: Ledger, rng: random.Random, show: Show, tmp_path: Path
) -> None:
    await join_at_random(serve, ledger, rng, show, tmp_path / "marks", joiners=200, span=100_000)


EVENTS = 10_000


def replay(server: LiveServer, run_id: str, joiners: int) -> float:
    """Seconds until each of some clients, connecting at once, has the whole log.

    Raw sockets, read and searched for the end: the client is not what is measured.
    """
    path = f"/tasks/{run_id}/events/"
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    began = time.monotonic()
    open_ = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(joiners)]
    for connection in open_:
        connection.sendall(request)
    for connection in open_:
        with closing(connection):
            tail = b""
            while b"event: finished" not in tail:
                got = connection.recv(1 << 18)
                assert got, tail
                tail = tail[-20:] + got
    return time.monotonic() - began


async def test_a_long_log_is_replayed_fast(serve: Serve, ledger: Ledger, show: Show) -> None:
    server = serve().start()
    run_id = enqueue(server, "emit", EVENTS)
    await ledger.until_finished(run_id)
    for joiners, limit in ((1, 0.3), (20, 1.5)):
        best = float("inf")
        for _ in range(5):  # others may have the machine for a moment
            server.kill()
            server.start()  # nothing of the log is in memory
            used = server.usage().cpu
            took = replay(server, run_id, joiners)
            used = server.usage().cpu - used
            show(f"{joiners} joiners: {took:.3f} s, {used:.2f} s of the server's CPU")
            best = min(best, took)
            if best <= limit:
                break
        assert best <= limit
