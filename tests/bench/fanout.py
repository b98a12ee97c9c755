"""One run, many watchers, real daphne: what a delivered event costs the server."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from tests.bench.plan import Plan, median
from tests.bench.servers import bare, headway
from tests.bench.side import COLUMNS, Side, compare, measure, rows_of
from tests.bench.table import Row, Table, Target
from tests.live import LiveServer

__all__ = ["burst", "paced", "websocket"]

_PACE = 100.0  # events a second


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
            found = compare(plan, sides)
            rows += rows_of(f"{count} × SSE", sides, found)
            if clients == 100:
                ratio = median(found["Headway"], "cpu", found["bare"])
                targets.append(Target("CPU of a delivery against bare daphne's", ratio, 1 / 15))
    return [Table("Burst, server-sent events", COLUMNS, rows, targets)]


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
        rows = rows_of(f"{clients} × WS", sides, compare(plan, sides))
    return [Table("Burst, WebSocket", COLUMNS, rows)]


def paced(plan: Plan) -> list[Table]:
    """A hundred events a second to 100 and 500 watchers: what it costs, and one waits for it."""
    events = plan.size(300, 20)
    rows: list[Row] = []
    targets: list[Target] = []
    with _servers() as (ours, theirs):
        for clients, over_websocket in product((plan.size(100), plan.size(500)), (False, True)):
            name = f"{clients} × {'WS' if over_websocket else 'SSE'}"
            sides = {
                "Headway": Side(ours, clients, events, _PACE, over_websocket),
                "bare": Side(theirs, clients, events, _PACE, over_websocket),
            }
            found = compare(plan, sides)
            rows += rows_of(name, sides, found)
            for key, what in (("cpu", "CPU"), ("p99", "p99")):
                ratio = median(found["Headway"], key, found["bare"])
                targets.append(Target(f"{name}: {what} against bare daphne's", ratio, 0.5))
    return [Table(f"{_PACE:g} events a second", COLUMNS, rows, targets)]


@contextmanager
def _servers() -> Iterator[tuple[LiveServer, LiveServer]]:
    with (
        tempfile.TemporaryDirectory(prefix="headway-bench-") as folder,
        headway(Path(folder)).start() as ours,
        bare(Path(folder)).start() as theirs,
    ):
        for server in (ours, theirs):  # the first run pays for imports and connections
            measure(Side(server, 2, 20))
        yield ours, theirs
