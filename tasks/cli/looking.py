"""Looking again and again at what another process changes."""

import time
from collections.abc import Collection, Iterator
from uuid import UUID

from tasks.cli.exits import Exit, failure
from tasks.conf import conf
from tasks.engine import store
from tasks.states import TERMINAL

__all__ = ["looks", "seconds", "wait_for"]


def seconds(text: str) -> float:
    """A duration as it is typed."""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError
    return value


def looks(pause: float, timeout: float | None = None) -> Iterator[None]:
    """Yield at once, and every *pause* seconds; a failure after *timeout* seconds."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        yield
        left = pause if deadline is None else min(pause, deadline - time.monotonic())
        if left <= 0:
            raise failure(Exit.TIMEOUT, f"Not finished within {timeout:g} seconds; it goes on.")
        time.sleep(left)


def wait_for(run_ids: Collection[UUID], timeout: float | None) -> None:
    """Until all of these runs have finished, or have gone."""
    for _ in looks(min(conf().poll, 0.5), timeout):
        heads = store.heads(run_ids)
        if all(head.status in TERMINAL for head in heads.values()):
            return
