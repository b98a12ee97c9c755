"""A server and who watches a run of it: what one delivered event costs."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from tests.bench.plan import Numbers, Plan, interleaved, median
from tests.bench.servers import get
from tests.bench.spec import Spec
from tests.bench.table import Row
from tests.bench.watchers import Watchers
from tests.live import LiveServer

__all__ = ["COLUMNS", "Side", "compare", "measure", "rows_of"]

_OWN = 3  # events beside the task's: queued, started, finished


class Side(NamedTuple):
    """A server and how it is watched."""

    server: LiveServer
    clients: int
    events: int
    rate: float = 0.0
    websocket: bool = False
    query: str = ""
    resume: bool = False


def compare(plan: Plan, sides: Mapping[str, Side]) -> dict[str, list[Numbers]]:
    measures: dict[str, Callable[[], Numbers]] = {
        name: partial(measure, side) for name, side in sides.items()
    }
    return interleaved(plan, measures)


def measure(side: Side) -> Numbers:
    query = f"count={side.events}&rate={side.rate}&gated=1"
    run = get(side.server, f"/bench/open/?{query}")
    path = f"/ws/tasks/{run}/{side.query}" if side.websocket else f"/tasks/{run}/events/"
    last = side.events + _OWN
    spec = Spec(
        side.server.port,
        path,
        side.websocket,
        side.clients,
        last,
        resume=side.resume,
        latencies=bool(side.rate),
    )
    with Watchers(spec) as watchers:
        cpu, began = side.server.usage().cpu, time.time()
        get(side.server, f"/bench/go/{run}/")
        report = watchers.report()
        cpu = side.server.usage().cpu - cpu
    elapsed = report.ended - began
    return {
        "rate": report.received / elapsed,
        "cpu": cpu * 100_000 / report.received,
        "server": cpu / elapsed,
        "client": report.cpu / elapsed,
        "resumed": report.resumed,
        "p50": report.p50 * 1000,
        "p99": report.p99 * 1000,
    }


COLUMNS = (
    "watchers",
    "events",
    "deliveries/s",
    "CPU s/100k",
    "× bare",
    "cores server",
    "client",
    "cut off",
    "p50 ms",
    "p99 ms",
)


def rows_of(
    watchers: str, sides: Mapping[str, Side], found: Mapping[str, Sequence[Numbers]]
) -> list[Row]:
    return [
        [
            f"{watchers}, {name}",
            str(side.events),
            median(found[name], "rate"),
            median(found[name], "cpu"),
            median(found[name], "cpu", found["bare"]),
            median(found[name], "server"),
            median(found[name], "client"),
            median(found[name], "resumed"),
            *([median(found[name], key) for key in ("p50", "p99")] if side.rate else [None, None]),
        ]
        for name, side in sides.items()
    ]
