"""A long log, and those who read all of it: real daphne, server-sent events."""

import tempfile
import time
from functools import partial
from itertools import count
from pathlib import Path

from tests.bench.plan import Numbers, Plan, interleaved, median
from tests.bench.servers import get, headway
from tests.bench.spec import Spec
from tests.bench.table import Row, Table, Target
from tests.bench.watchers import Watchers
from tests.live import LiveServer

__all__ = ["replay"]

_OWN = 3  # events beside the task's: queued, started, finished


def replay(plan: Plan) -> list[Table]:
    """Stored events, read by one and by many together."""
    events = plan.size(10_000, 50) - _OWN
    crowds = {"1": 1, "20": plan.size(20, 2)}
    with (
        tempfile.TemporaryDirectory(prefix="headway-bench-") as folder,
        headway(Path(folder)).start() as server,
    ):
        _read(server, _stored(server, 20), 20, 1)  # pays for imports and connections
        # A log of its own for every reading: none is in the server's memory.
        logs = [_stored(server, events) for _ in range(plan.repeats * len(crowds))]
        following = count()
        sides = {
            name: partial(lambda joiners: _read(server, logs[next(following)], events, joiners), n)
            for name, n in crowds.items()
        }
        found = interleaved(plan, sides)
        again = interleaved(plan, {"20": partial(_read, server, logs[-1], events, crowds["20"])})
    rows: list[Row] = [
        [f"{crowds[name]} joining at once{how}", *(median(rows, key) for key in _KEYS)]
        for how, results in (("", found), (", read before", again))
        for name, rows in results.items()
    ]
    targets = [
        Target(f"s, {crowds[name]} joining", median(found[name], "seconds"), limit)
        for name, limit in (("1", 0.3), ("20", 1.5))
    ]
    columns = ("", "s until all have all", "deliveries/s", "CPU s/100k", "cores client")
    return [Table(f"Replay of {events + _OWN} stored events", columns, rows, targets)]


_KEYS = ("seconds", "rate", "cpu", "client")


def _stored(server: LiveServer, events: int) -> str:
    """A finished run with so many events, beside its own three."""
    run = get(server, f"/bench/open/?count={events}&rate=0&gated=0")
    deadline = time.monotonic() + 60
    while '"finished_at":null' in get(server, f"/tasks/{run}/"):
        assert time.monotonic() < deadline
        time.sleep(0.05)  # between two looks
    return run


def _read(server: LiveServer, run: str, events: int, joiners: int) -> Numbers:
    path, last = f"/tasks/{run}/events/", events + _OWN
    cpu = server.usage().cpu
    with Watchers(Spec(server.port, path, False, joiners, last)) as watchers:
        report = watchers.report()
    cpu = server.usage().cpu - cpu
    seconds = report.ended - report.began
    return {
        "seconds": seconds,
        "rate": report.received / seconds,
        "cpu": cpu * 100_000 / report.received,
        "client": report.cpu / seconds,
    }
