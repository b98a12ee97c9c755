"""Whatever is done to a server: who watches beside it misses nothing, and nothing stays."""

import asyncio
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.bundles import BundleSocketWatcher, BundleStreamWatcher
from tests.chaos.service.client import State, enqueue, state, usual
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import Show
from tests.watchers import End, SocketWatcher, StreamWatcher, Watcher, exactly, watching

__all__ = ["undisturbed"]

GROWTH = 24 << 20  # bytes; a leak of 10,000 of anything that lives is more
PATIENCE = 40.0  # seconds


@contextmanager
def undisturbed(
    server: LiveServer,
    ledger: Ledger,
    over: Path,
    show: Show,
    warm_up: Callable[[], object],
    headers: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Fails if what is done within disturbs a stream, or leaves something behind.

    The streams end with a mark at *over*. Who reads them sends the *headers*. What the first
    of a kind loads and keeps for the others is no leak: the *warm_up* has had it.
    """
    run_id = enqueue(server, "tick_until", str(over), 0.02)
    with _beside(server, run_id, headers) as watchers:
        while min(watcher.cursor for watcher in watchers) < 10:
            time.sleep(0.05)  # it is another loop's event
        try:
            before = usual(server)
            warm_up()
            state(server)  # of memory, what nobody holds is gone: before, as it will be after
            size = server.usage().rss
            yield
            after = _settled(server, before)
        finally:
            over.touch()
    grown = server.usage().rss - size
    show(f"{grown >> 10} KB more")
    assert (after[2:], after.tasks <= before.tasks) == (before[2:], True), (before, after)
    assert grown < GROWTH
    assert not re.findall(r'" 500 ', server.output)
    exactly(watchers[:2], ledger)
    for watcher in watchers:
        assert watcher.ends == [End.FINISHED], watcher


@contextmanager
def _beside(
    server: LiveServer, run_id: str, headers: Mapping[str, str] | None
) -> Iterator[list[Watcher]]:
    """Watchers on a loop of their own, until the run has finished."""
    watchers: list[Watcher] = [
        StreamWatcher(server.port, run_id, headers=headers),
        SocketWatcher(server.port, run_id, headers=headers),
        BundleStreamWatcher(server.port, [run_id], headers=headers),
        BundleSocketWatcher(server.port, [run_id], headers=headers),
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
        thread.join(PATIENCE)
        assert not failed, failed
        assert not thread.is_alive()


def _settled(server: LiveServer, wanted: State) -> State:
    """Wait until the process has no more than *wanted*; what it has if that never comes."""
    deadline = time.monotonic() + PATIENCE
    while (now := state(server)).tasks > wanted.tasks or now[2:] != wanted[2:]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)  # it is another process's event
    return now
