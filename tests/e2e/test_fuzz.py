"""Malformed requests and frames beside streams: they are refused, and nobody notices."""

import asyncio
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tasks.states import TERMINAL
from tests.bundles import BundleSocketWatcher, BundleStreamWatcher
from tests.chaos.service.client import State, enqueue, state
from tests.e2e.hostile import Attack, fire, http_attacks, websocket_attacks
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import Serve, Show
from tests.watchers import End, SocketWatcher, StreamWatcher, Watcher, exactly, watching

# What they get to before they are refused is the same on both.
pytestmark = [pytest.mark.e2e, pytest.mark.embedded]

BATCH = 20
GROWTH = 24 << 20  # bytes; a leak of 10,000 of anything that lives is more
FINE = {501, 503}  # that say so themselves: no metrics here, too many streams


@contextmanager
def beside(server: LiveServer, run_id: str) -> Iterator[list[Watcher]]:
    """Watchers on a loop of their own, until the run has finished."""
    watchers: list[Watcher] = [
        StreamWatcher(server.port, run_id),
        SocketWatcher(server.port, run_id),
        BundleStreamWatcher(server.port, [run_id]),
        BundleSocketWatcher(server.port, [run_id]),
    ]
    failed: list[BaseException] = []

    async def watch() -> None:
        async with watching(watchers):
            pass

    def run() -> None:
        try:
            asyncio.run(watch())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield watchers
    finally:
        thread.join(40)
        assert not failed, failed
        assert not thread.is_alive()


def settled(server: LiveServer, wanted: State) -> State:
    """Wait until the process has no more than *wanted*; what it has if that never comes."""
    deadline = time.monotonic() + 40
    while (now := state(server)).tasks > wanted.tasks or now[2:] != wanted[2:]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)  # it is another process's event
    return now


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")  # of long examples
@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "count",
    [
        pytest.param(100, id="short", marks=pytest.mark.timeout(180)),
        pytest.param(10_000, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(3000)]),
    ],
)
def test_nobody_notices(
    serve: Serve, ledger: Ledger, tmp_path: Path, show: Show, kind: str, count: int
) -> None:
    # What is read of logs is kept, up to that.
    server = serve(replay_bytes=1 << 20).start()
    over = tmp_path / "over"
    run_id, prey = (enqueue(server, "tick_until", str(over), 0.02) for _ in range(2))
    statuses: Counter[int] = Counter()

    @given(st.lists({"http": http_attacks, "websocket": websocket_attacks}[kind], min_size=BATCH))
    @settings(
        max_examples=count // BATCH,
        deadline=None,
        database=None,
        # What fails depends on what came before: there is nothing to be made smaller.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def attack(attacks: Sequence[Attack]) -> None:
        nonlocal prey
        if ledger.run(prey).status in TERMINAL:  # for now and then a request is a good one
            prey = enqueue(server, "tick_until", str(over), 0.02)
        found = asyncio.run(fire(server.port, attacks, prey))
        statuses.update(found)
        assert not [status for status in found if status >= 500 and status not in FINE]
        assert "Traceback" not in server.output

    with beside(server, run_id) as watchers:
        while min(watcher.cursor for watcher in watchers) < 10:
            time.sleep(0.05)  # it is another loop's event
        before = state(server)
        size = None
        try:
            asyncio.run(fire(server.port, [Attack((b"GET / HTTP/1.1\r\n\r\n",))] * 50, prey))
            size = server.usage().rss
            attack()
            after = settled(server, before)
        finally:
            over.touch()
    grown = server.usage().rss - size
    show(f"{kind}: {sum(statuses.values())} answers {dict(statuses)}, {grown >> 10} KB more")
    assert (after[2:], after.tasks <= before.tasks) == (before[2:], True), (before, after)
    assert grown < GROWTH
    assert not re.findall(r'" 500 ', server.output)
    exactly(watchers[:2], ledger)
    for watcher in watchers:
        assert watcher.ends == [End.FINISHED], watcher
