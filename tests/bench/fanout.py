"""One run, many watchers, real daphne: what a delivered event costs the server."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.bench.plan import Numbers, Plan, interleaved, median
from tests.bench.servers import bare, get, headway
from tests.bench.spec import Spec
from tests.bench.table import Row, Table, Target
from tests.bench.watchers import Watchers
from tests.live import LiveServer

__all__ = ["burst", "paced", "websocket"]

_PACE = 100.0  # events a second
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


def burst(plan: Plan) -> list[Table]:
    """As fast as the task can emit, to 1, 100 and 500 SSE watchers."""
    rows: list[Row] = []
    targets: list[Target] = []
    with _servers() as (ours, theirs):
        # daphne alone takes seconds for 100,000 deliveries, so it gets fewer; the cost
        # of one does not depend on how many there are.
        for clients, events, bare_events in ((1, 5000, 5000), (100, 5000, 400), (500, 2000, 60)):
            count = plan.size(clients, least=1)
            sides = {
                "Headway": Side(ours, count, plan.size(events, 20)),
                "bare": Side(theirs, count, plan.size(bare_events, 20)),
            }
            found = _compare(plan, sides)
            rows += _rows(f"{count} × SSE", sides, found)
            if clients == 100:
                ratio = median(found["Headway"], "cpu", found["bare"])
                targets.append(Target("CPU of a delivery against bare daphne's", ratio, 0.25))
    return [Table("Burst, server-sent events", _COLUMNS, rows, targets)]


def websocket(plan: Plan) -> list[Table]:
    """The same over WebSocket, with a frame for each event and with joined frames."""
    clients = plan.size(100)
    with _servers() as (ours, theirs):
        few, many = plan.size(500, 20), plan.size(5000, 20)
        # autobahn gives a client one second from the close frame on to read all that was
        # sent before it; one that cannot is cut off, and continues after its cursor.
        sides = {
            "Headway, ?batch=1": Side(
                ours, clients, many, websocket=True, query="?batch=1", resume=True
            ),
            "Headway": Side(ours, clients, few, websocket=True, resume=True),
            "bare": Side(theirs, clients, few, websocket=True),
        }
        rows = _rows(f"{clients} × WS", sides, _compare(plan, sides))
    return [Table("Burst, WebSocket", _COLUMNS, rows)]


def paced(plan: Plan) -> list[Table]:
    """A hundred events a second to a hundred watchers: what one waits for an event."""
    clients, events = plan.size(100), plan.size(300, 20)
    rows: list[Row] = []
    with _servers() as (ours, theirs):
        for name, over_websocket in (("SSE", False), ("WS", True)):
            sides = {
                "Headway": Side(ours, clients, events, _PACE, over_websocket),
                "bare": Side(theirs, clients, events, _PACE, over_websocket),
            }
            rows += _rows(f"{clients} × {name}", sides, _compare(plan, sides))
    return [Table(f"{_PACE:g} events a second", _COLUMNS, rows)]


@contextmanager
def _servers() -> Iterator[tuple[LiveServer, LiveServer]]:
    with (
        tempfile.TemporaryDirectory(prefix="headway-bench-") as folder,
        headway(Path(folder)).start() as ours,
        bare(Path(folder)).start() as theirs,
    ):
        for server in (ours, theirs):  # the first run pays for imports and connections
            _measure(Side(server, 2, 20))
        yield ours, theirs


def _compare(plan: Plan, sides: Mapping[str, Side]) -> dict[str, list[Numbers]]:
    measures: dict[str, Callable[[], Numbers]] = {
        name: partial(_measure, side) for name, side in sides.items()
    }
    return interleaved(plan, measures)


def _measure(side: Side) -> Numbers:
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


_COLUMNS = (
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


def _rows(
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
