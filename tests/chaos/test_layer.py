"""Watchers whose layer loses and reorders, or goes away: exact, and on the same connection."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
import redis

from tests.bundles import BundleSocketWatcher, BundleStreamWatcher
from tests.chaos.outages import Breakable, breakable
from tests.chaos.service.client import enqueue
from tests.chaos.service.marks import leave
from tests.frames import Batch
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import SERVICE, Serve, Show
from tests.watchers import End, SocketWatcher, StreamWatcher, Watcher, exactly, watching

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

PACE = 0.05  # seconds between two events
# Seconds between two of them at a watcher: a repair takes less than one, on a machine that has
# nothing else to do; beside all other tests more may pass.
REPAIR, SILENCE = 1.0, 10.0


class Timed:
    """Knows for how long nothing came."""

    silence = 0.0
    _last = 0.0

    def _take(self, batch: Batch) -> None:
        super()._take(batch)  # type: ignore[misc]
        now = time.monotonic()
        if self._last:
            self.silence = max(self.silence, now - self._last)
        self._last = now


class TimedStream(Timed, StreamWatcher):
    pass


class TimedSocket(Timed, SocketWatcher):
    pass


async def beside(
    harm: Callable[[], None], servers: Sequence[LiveServer], path: Path
) -> list[Watcher]:
    """Let a run emit before, during and after it; who has watched all of that."""
    run_id = enqueue(servers[0], "tick_until", str(path), PACE)
    watchers: list[Watcher] = []
    for port in [server.port for server in servers]:
        watchers += [TimedStream(port, run_id), TimedSocket(port, run_id)]
        watchers += [BundleStreamWatcher(port, [run_id]), BundleSocketWatcher(port, [run_id])]
    async with watching(watchers):
        for watcher in watchers:
            await watcher.reach(5)
        await asyncio.to_thread(harm)
        for watcher in watchers:
            await watcher.reach(watcher.cursor + 20)
        leave(str(path), "over")
    return watchers


def whole(
    watchers: Sequence[Watcher], ledger: Ledger, show: Show, silence: float = SILENCE
) -> None:
    """Exactly the log, with not one connection more than the first."""
    for watcher in watchers:
        parts = getattr(watcher, "parts", {watcher.run_id: watcher})
        exactly(list(parts.values()), ledger)
        assert watcher.ends == [End.FINISHED], watcher
    longest = max(getattr(watcher, "silence", 0.0) for watcher in watchers)
    show(f"{watchers[0].cursor} events, and nothing for {longest:.2f} s at most")
    assert longest < silence


async def test_a_layer_that_loses_and_reorders(
    serve: Serve, ledger: Ledger, show: Show, tmp_path: Path
) -> None:
    server = serve()
    server.env["DJANGO_SETTINGS_MODULE"] = "tests.chaos.lossy"
    server.start()
    harmed = partial(time.sleep, 5)  # so long it loses and reorders
    watchers = await beside(harmed, [server], tmp_path / "over")
    whole(watchers, ledger, show)


class TestBroken:
    """With a Redis of its own, in the process that executes and in another one."""

    pytestmark = pytest.mark.servers

    @pytest.fixture
    def stack(self) -> Iterator[Breakable]:
        with breakable(SERVICE) as made:
            yield made

    @pytest.mark.parametrize(
        ("seconds", "silence"),
        [
            pytest.param(2, SILENCE, id="short"),
            pytest.param(10, REPAIR, id="long", marks=pytest.mark.soak),
        ],
    )
    async def test_redis_stops_and_comes_again(
        self,
        serve: Serve,
        stack: Breakable,
        show: Show,
        tmp_path: Path,
        seconds: float,
        silence: float,
    ) -> None:
        servers = [serve(complains=True).start(), serve(role="web", complains=True).start()]

        def outage() -> None:
            stack.redis.stop()
            time.sleep(seconds)  # it is down meanwhile
            stack.redis.start()

        watchers = await beside(outage, servers, tmp_path / "over")
        whole(watchers, Ledger(stack), show, silence)

    async def test_its_clients_are_killed_again_and_again(
        self, serve: Serve, stack: Breakable, show: Show, tmp_path: Path
    ) -> None:
        servers = [serve(complains=True).start(), serve(role="web", complains=True).start()]
        killed = 0

        def kill() -> None:
            nonlocal killed
            with redis.Redis(port=stack.redis.port) as client:
                for _ in range(15):
                    for kind in ("pubsub", "normal"):
                        killed += int(client.client_kill_filter(_type=kind, skipme=True))
                    time.sleep(0.3)  # they connect again meanwhile

        watchers = await beside(kill, servers, tmp_path / "over")
        show(f"{killed} connections killed")
        assert killed > 10
        whole(watchers, Ledger(stack), show)
