"""A server that is asked to stop: what its watchers see of that, and what they miss."""

import asyncio
import signal
import time
from pathlib import Path

import pytest

from tests.bundles import BundleSocketWatcher, BundleStreamWatcher, BundleWatcher
from tests.chaos.service.client import enqueue
from tests.chaos.service.marks import marks
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import Serve
from tests.watchers import End, SocketWatcher, StreamWatcher, Watcher, exactly, watching

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT]),
    pytest.mark.parametrize("kind", ["daphne", "uvicorn"]),
]

ALLOWANCE = 2.0  # seconds after the grace period within which the process is gone


async def stop(server: LiveServer, number: int, grace: float) -> None:
    began = time.monotonic()
    server.signal(number)
    code = await asyncio.to_thread(server.wait)
    took = time.monotonic() - began
    # uvicorn may end with the signal that it was sent, once it has shut down in order.
    assert code == 0 or (server.server == "uvicorn" and code == -number), server.output
    assert took <= grace + ALLOWANCE, server.output


def some(server: LiveServer, run_id: str) -> list[Watcher]:
    streams: list[Watcher] = [StreamWatcher(server.port, run_id) for _ in range(3)]
    return streams + [SocketWatcher(server.port, run_id) for _ in range(3)]


async def test_watchers_are_told_to_come_again_and_miss_nothing(
    serve: Serve, ledger: Ledger, tmp_path: Path, kind: str, number: int
) -> None:
    """Of two runs: one ends in time, the other goes back and is done in the next process."""
    grace = 2.0
    server = serve(server=kind, grace=grace).start()
    short = enqueue(server, "rest", str(tmp_path / "short"), 1)
    long = enqueue(server, "rest", str(tmp_path / "long"), 3600)
    of_short, of_long = some(server, short), some(server, long)
    async with watching([*of_short, *of_long]):
        for watcher in (*of_short, *of_long):
            await watcher.reach(3)  # queued, started, resting
        await stop(server, number, grace)
        ended, given_back = ledger.run(short), ledger.run(long)
        await asyncio.to_thread(server.start)

    assert (ended.status, ended.attempt) == ("SUCCESSFUL", 1)
    assert (given_back.status, given_back.attempt) == ("READY", 0)
    assert [mark.split()[1] for mark in marks(tmp_path / "short")] == ["begun", "ended"]
    assert marks(tmp_path / "long")[1].endswith("cancelled")
    done = ledger.run(long)
    assert (done.status, done.attempt, len(done.workers)) == ("SUCCESSFUL", 1, 2)
    exactly([*of_short, *of_long], ledger)
    for watcher in of_short:
        if kind == "daphne" or isinstance(watcher, StreamWatcher):
            assert watcher.ends == [End.FINISHED], watcher
    for watcher in of_long:
        orderly = [end for end in watcher.ends if end is not End.REFUSED]
        assert orderly == [End.FAREWELL, End.FINISHED], watcher
        if isinstance(watcher, StreamWatcher):
            assert 500 <= watcher.told <= 6500  # milliseconds, spread over six seconds
        else:  # uvicorn closes WebSockets by itself, as soon as the signal comes
            assert watcher.told == {"daphne": 4012, "uvicorn": 1012}[kind]


async def test_who_watches_many_runs_is_told_too(
    serve: Serve, ledger: Ledger, tmp_path: Path, kind: str, number: int
) -> None:
    grace = 1.0
    server = serve(server=kind, grace=grace).start()
    runs = [enqueue(server, "rest", str(tmp_path / name), 3600) for name in "abc"]
    stream = BundleStreamWatcher(server.port, runs)
    socket = BundleSocketWatcher(server.port, runs)
    async with watching([stream, socket]):
        await stream.reach(3 * len(runs))  # queued, started, resting
        await socket.reach(3 * len(runs))
        await stop(server, number, grace)
        await asyncio.to_thread(server.start)
    both: list[BundleWatcher] = [stream, socket]
    for watcher in both:
        exactly(list(watcher.parts.values()), ledger)
        orderly = [end for end in watcher.ends if end is not End.REFUSED]
        assert orderly == [End.FAREWELL, End.FINISHED], watcher
    assert 500 <= stream.told <= 6500
    assert socket.told == {"daphne": 4012, "uvicorn": 1012}[kind]
