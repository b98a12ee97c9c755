"""What an open watcher weighs while nothing happens: the slope of the server's memory."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.bench.plan import Numbers, Plan, interleaved, median
from tests.bench.servers import bare, get, headway
from tests.bench.spec import Spec
from tests.bench.table import Table, Target
from tests.bench.watchers import Watchers
from tests.live import LiveServer

__all__ = ["memory"]

_LIMIT = 30.0  # KB
_FIRST = 200  # connections that a fresh process warms up with
_LAST = 4  # seq of the run's last event


def memory(plan: Plan) -> list[Table]:
    """Beside bare daphne, whose application keeps a queue for each."""
    clients = plan.size(2000, least=400)  # fewer may fit into pages that are there
    sides = {
        f"{name}, {kind}": partial(_fresh, make, clients, kind == "WS")
        for kind in ("SSE", "WS")
        for name, make in (("Headway", headway), ("bare", bare))
    }
    found = interleaved(plan, sides)
    each = {name: median(numbers, "kilobytes") for name, numbers in found.items()}
    return [
        Table(
            f"{clients} idle watchers of a run",
            ("server", "KB each"),
            [[name, kilobytes] for name, kilobytes in each.items()],
            [
                Target(f"KB a connection, {kind}", each[f"Headway, {kind}"], _LIMIT)
                for kind in ("SSE", "WS")
            ],
        )
    ]


def _fresh(make: Callable[[Path], LiveServer], clients: int, websocket: bool) -> Numbers:
    """In a process of its own: what another's watchers have left would be filled first."""
    with (
        tempfile.TemporaryDirectory(prefix="headway-bench-") as folder,
        make(Path(folder)).start() as server,
    ):
        return _measure(server, clients, websocket)


def _measure(server: LiveServer, clients: int, websocket: bool) -> Numbers:
    """By how much the server's resident memory grows with each of so many watchers."""
    run = get(server, "/bench/open/?count=1&rate=0&gated=1")
    path = f"/ws/tasks/{run}/" if websocket else f"/tasks/{run}/events/"
    with Watchers(_spec(server, path, websocket, _FIRST)) as first:
        before = _size(server)
        with Watchers(_spec(server, path, websocket, clients)) as others:
            grown = _size(server) - before
            get(server, f"/bench/go/{run}/")
            others.report()
        first.report()
    return {"kilobytes": max(0, grown) / 1024 / clients}


def _spec(server: LiveServer, path: str, websocket: bool, clients: int) -> Spec:
    return Spec(server.port, path, websocket, clients, _LAST, patience=60)


def _size(server: LiveServer) -> int:
    """Without garbage, of which there is more or less by chance."""
    get(server, "/bench/collect/")
    return server.usage().rss
