"""Other ways to the same watchers: a group of consumers, and no framework at all."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.bench.plan import Numbers, Plan, interleaved, median
from tests.bench.servers import get, headway, naive, plain
from tests.bench.side import COLUMNS, Side, compare, measure, rows_of
from tests.bench.spec import Spec
from tests.bench.table import Row, Table, Target
from tests.bench.watchers import Watchers
from tests.live import LiveServer
from tests.services.redis import Redis

__all__ = ["crowd", "groups"]


def groups(plan: Plan) -> list[Table]:
    """Beside one group member for each WebSocket, in memory and on Redis."""
    rows: list[Row] = []
    targets: list[Target] = []
    clients, events, theirs = plan.size(100), plan.size(5000, 20), plan.size(50, 5)
    with Redis() as redis:
        for layer, url, least in (("in memory", None, 100), ("on Redis", redis.url, 20)):
            with _servers(url) as (ours, members):
                sides = {
                    "Headway, ?batch=1": Side(
                        ours, clients, events, websocket=True, query="?batch=1", resume=True
                    ),
                    "bare": Side(members, clients, theirs, websocket=True),
                }
                found = compare(plan, sides)
            share = median(found["Headway, ?batch=1"], "cpu", found["bare"])
            name = f"{clients} × WS {layer}"
            rows += rows_of(name, sides, found)
            targets.append(Target(f"{name}: CPU against a group's", share, 1 / least))
    return [Table("Burst, beside a group of consumers (bare)", COLUMNS, rows, targets)]


def crowd(plan: Plan) -> list[Table]:
    """One event for a thousand watchers: when the last one has it."""
    clients = plan.size(1000)
    with (
        tempfile.TemporaryDirectory(prefix="headway-bench-") as folder,
        headway(Path(folder)).start() as ours,
        plain(Path(folder)).start() as other,
    ):
        for server in (ours, other):
            measure(Side(server, 2, 20))
        sides = {
            "Headway, SSE": partial(_last, ours, clients, False),
            "asyncio": partial(_last, other, clients, False),
            "Headway, WS": partial(_last, ours, clients, True),
        }
        found = interleaved(plan, sides)
    ratio = median(found["Headway, SSE"], "last", found["asyncio"])
    return [
        Table(
            f"One event, {clients} watchers",
            ("server", "last ms", "× asyncio"),
            [
                [
                    name,
                    median(numbers, "last"),
                    median(numbers, "last", found["asyncio"]),
                ]
                for name, numbers in found.items()
            ],
            [Target("the last has it, × asyncio", ratio, 2)],
        )
    ]


def _last(server: LiveServer, clients: int, websocket: bool) -> Numbers:
    run = get(server, "/bench/open/?count=1&rate=0&gated=1")
    path = f"/ws/tasks/{run}/" if websocket else f"/tasks/{run}/events/"
    with Watchers(Spec(server.port, path, websocket, clients, 4, latencies=True)) as watchers:
        began = time.time()
        get(server, f"/bench/go/{run}/")
        report = watchers.report()
    return {"last": (report.ended - began) * 1000}


@contextmanager
def _servers(redis: str | None) -> Iterator[tuple[LiveServer, LiveServer]]:
    with (
        tempfile.TemporaryDirectory(prefix="headway-bench-") as folder,
        headway(Path(folder), redis).start() as ours,
        naive(Path(folder), redis).start() as members,
    ):
        measure(Side(ours, 2, 20))
        measure(Side(members, 2, 5, websocket=True))
        yield ours, members
