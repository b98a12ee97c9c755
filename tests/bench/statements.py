"""What one statement of the store costs: run by :mod:`tests.bench.store`.

One connection and nothing else going on. Figures are microseconds for each run or event:
the least of the repetitions, as other work on the machine only adds to it, and means of
the CPU time. The server's is that of the connection's own process.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from tasks.engine import store  # noqa: E402
from tasks.engine.attempts.endings import lost_with_its_process  # noqa: E402
from tasks.engine.store import Change, Claim, RunWrite, Slot  # noqa: E402
from tasks.events import new_event  # noqa: E402
from tasks.states import RunStatus  # noqa: E402
from tests.bench.app import tasks as app  # noqa: E402
from tests.bench.table import Row, Table  # noqa: E402
from tests.processes import usage  # noqa: E402
from tests.tasks.backlog import fill  # noqa: E402

REPEATS = 20
BACKLOG = 100_000  # of each kind
COLUMNS = ["", "least", "median", "a second", "CPU here", "CPU there"]


def enqueue(number: int, _: object = None) -> None:
    app.nothing.enqueue_many([((), {})] * number)


def claims(number: int, lease: float = 600.0) -> list[Claim]:
    enqueue(number)
    return take(number, lease)


def take(number: int, lease: float = 600.0) -> list[Claim]:
    taken = store.claim("bench", lease, Slot(number))
    assert len(taken) == number
    return taken


def claim_again(number: int, _: object) -> None:
    take(number)


def renew(ids: Sequence[UUID], _: object) -> None:
    store.renew("bench", 600, ids)


def rescue(_: object) -> None:
    assert len(store.rescue(lost_with_its_process)) == 100


def nothing() -> None:
    """What needs no preparation."""


def finished(number: int) -> list[RunWrite]:
    change = Change(RunStatus.SUCCESSFUL, return_value="1")
    end = new_event(3, "finished", {"status": "SUCCESSFUL", "return_value": 1})
    return [RunWrite(claim.run_id, claim.fence, [end], change=change) for claim in claims(number)]


class Emitter:
    """One running run, and the next of its events."""

    def __init__(self) -> None:
        [self._claim] = claims(1)
        self._seqs = count(self._claim.started.seq + 1)

    def events(self, number: int) -> list[RunWrite]:
        events = [new_event(next(self._seqs), "tick", {"n": 3}) for _ in range(number)]
        return [RunWrite(self._claim.run_id, self._claim.fence, events)]


def measure(
    name: str, number: int, act: Callable[[Any], object], prepare: Callable[[], Any]
) -> Row:
    spent, here, there = [], 0.0, 0.0
    for _ in range(REPEATS):
        given = prepare()
        server, cpu, start = _server(), time.thread_time(), time.perf_counter()
        act(given)
        spent.append((time.perf_counter() - start) / number * 1e6)
        here += time.thread_time() - cpu
        there += _server() - server
    each = REPEATS * number / 1e6
    least = min(spent)
    return [name, least, statistics.median(spent), 1e6 / least, here / each, there / each or None]


def _server() -> float:
    """CPU seconds of PostgreSQL's process; it counts in hundredths."""
    if connection.vendor != "postgresql":
        return 0.0
    return usage(connection.connection.info.backend_pid).cpu


def claiming(where: str) -> Iterator[Row]:
    for number in (1, 100):
        yield measure(
            f"claim {number} {where}",
            number,
            partial(claim_again, number),
            partial(enqueue, number),
        )


def rows() -> Iterator[Row]:
    for number in (1, 100):
        yield measure(f"enqueue {number}", number, partial(enqueue, number), nothing)
    yield from claiming("of few")
    for number in (1, 100):
        yield measure(f"finish {number}", number, store.write, partial(finished, number))
    emitter = Emitter()
    for number in (1, 10, 100, 500):
        yield measure(f"{number} events", number, store.write, partial(emitter.events, number))
    ids = [claim.run_id for claim in claims(200)]
    yield measure("renew 200", 200, partial(renew, ids), nothing)
    yield measure(
        "rescue 100",
        100,
        rescue,
        partial(claims, 100, lease=-60.0),
    )
    future = "'2999-01-01 00:00:00+00:00'"
    fill(BACKLOG, status="'SUCCESSFUL'")
    fill(BACKLOG, deferred="TRUE", run_after=future, priority="9")
    fill(BACKLOG)
    yield from claiming(f"of {BACKLOG:,}")


def main() -> None:
    call_command("migrate", verbosity=0)
    title = f"{connection.vendor}: µs for each run or event"
    print(f"\n{Table(title, COLUMNS, list(rows()))}")


if __name__ == "__main__":
    main()
