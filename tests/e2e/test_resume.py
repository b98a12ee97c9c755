"""Killed servers and watchers that come back: everyone gets the whole log, once."""

import asyncio
import random

import pytest

from tests.chaos.service.client import enqueue
from tests.ledger import Ledger
from tests.stacks import Serve, Show
from tests.watchers import End, SocketWatcher, StreamWatcher, Watcher, exactly, watching

pytestmark = pytest.mark.e2e

EVENTS = 2_000  # an attempt


def both_kinds(port: int, run_id: str, each: int) -> list[Watcher]:
    sockets = [SocketWatcher(port, run_id, batch=number % 4 > 0) for number in range(each)]
    return [*sockets, *(StreamWatcher(port, run_id) for _ in range(each))]


async def kill_and_watch(
    serve: Serve,
    ledger: Ledger,
    rng: random.Random,
    show: Show,
    *,
    kills: int,
    latest: int,
) -> None:
    server = serve(lease=1.5).start()
    run_id = enqueue(server, "emit", EVENTS, 0.0005)
    watchers = both_kinds(server.port, run_id, 20)
    moments = []
    begun = 0
    async with watching(watchers):
        for _ in range(kills):
            # After so many events of this attempt.
            leader = rng.choice(watchers)
            await leader.reach(begun + rng.randint(1, latest))
            await asyncio.to_thread(server.kill)
            begun = ledger.run(run_id).last_seq
            moments.append(begun)
            assert ledger.run(run_id).status == "RUNNING", "it was killed too late to matter"
            await asyncio.to_thread(server.start)
            await leader.reach(begun + 1)  # what the next process says of this one's death
    run = ledger.run(run_id)
    show(f"killed at {moments}, {run.last_seq} events, {run.attempt} attempts")
    exactly(watchers, ledger)
    assert run.status == "SUCCESSFUL"
    assert run.attempt == len(run.workers) == kills + 1
    assert run.return_value == EVENTS
    for watcher in watchers:
        assert watcher.ends.count(End.CUT) >= kills, watcher
        assert End.FAREWELL not in watcher.ends, watcher


async def test_watchers_see_everything_once_across_kills(
    serve: Serve, ledger: Ledger, rng: random.Random, show: Show
) -> None:
    await kill_and_watch(serve, ledger, rng, show, kills=3, latest=EVENTS // 2)


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_watchers_see_everything_once_across_many_kills(
    serve: Serve, ledger: Ledger, rng: random.Random, show: Show
) -> None:
    await kill_and_watch(serve, ledger, rng, show, kills=40, latest=EVENTS * 9 // 10)
