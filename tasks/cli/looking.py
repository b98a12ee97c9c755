"""Looking again and again at what another process changes."""

import time
from argparse import ArgumentParser
from collections.abc import Callable, Collection, Iterator
from typing import Any
from uuid import UUID

from tasks.cli.exits import Exit, failure
from tasks.cli.outage import PATIENCE, Outage
from tasks.cli.output import Output
from tasks.conf import conf
from tasks.engine import store
from tasks.states import TERMINAL

__all__ = ["arguments", "looks", "seconds", "timeout", "wait_for"]

_LATER = 1.0  # seconds between two tries while the database is away


def seconds(text: str) -> float:
    """A duration as it is typed."""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError
    return value


def arguments(parser: ArgumentParser) -> None:
    """What may be said of all looking."""
    parser.add_argument(
        "--outage",
        metavar="SECONDS",
        type=seconds,
        default=PATIENCE,
        help=f"bear with a database that is away for so long; {PATIENCE:g} by default",
    )


def timeout(parser: ArgumentParser) -> None:
    """Of looking that has an end."""
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=seconds, help="wait no longer; 0: not at all"
    )
    arguments(parser)


def looks(pause: float, options: dict[str, Any], say: Callable[[str], None]) -> Iterator[Outage]:
    """Yield at once, and every *pause* seconds; a failure after ``--timeout`` seconds.

    What queries is done in the block of what is yielded, which bears ``--outage`` seconds.
    """
    most = options.get("timeout")
    deadline = None if most is None else time.monotonic() + most
    outage = Outage(say, options["outage"])
    while True:
        yield outage
        left = _LATER if outage.lasts else pause
        if deadline is not None:
            left = min(left, deadline - time.monotonic())
        if left <= 0:
            raise failure(Exit.TIMEOUT, f"Not finished within {most:g} seconds; it goes on.")
        time.sleep(left)


def wait_for(run_ids: Collection[UUID], options: dict[str, Any], output: Output) -> None:
    """Until all of these runs have finished, or have gone."""
    for tried in looks(min(conf().poll, 0.5), options, output.problem):
        with tried:
            heads = store.heads(run_ids)
            if all(head.status in TERMINAL for head in heads.values()):
                return
