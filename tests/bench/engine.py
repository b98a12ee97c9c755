"""The engine in one process, on SQLite: what a run costs, and how soon it is done."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.plan import Numbers, Plan, interleaved, median
from tests.bench.servers import APPS
from tests.bench.table import Row, Table, Target
from tests.processes import ROOT, environment, migrated

__all__ = ["runners", "sleepers", "tasks", "threads"]

_ENV = {"HEADWAY_APPS": APPS}
_AT_ONCE = 200  # runs, as HEADWAY["CONCURRENCY"] has it by default


def tasks(plan: Plan) -> list[Table]:
    """Trivial async tasks: enqueued in bulk, and one after the other."""
    count, serial = plan.size(5000, 50), plan.size(1000, 50)
    bulk = _repeated(plan, "trivial", count=count)
    single = _repeated(plan, "latency", count=serial)
    return [_throughput(count, bulk), _latency(serial, single)]


def _throughput(count: int, found: Sequence[Numbers]) -> Table:
    names = {
        "headway": "Headway: enqueue, execute, three events",
        "raw": "raw SQLite: the same rows, 100 a transaction",
        "group": "bare TaskGroup, no storage",
    }
    rows: list[Row] = [
        [
            name,
            median(found, f"{key}_cpu") * 1000,
            1 / median(found, f"{key}_wall"),
            _ratio(found, "headway_cpu", f"{key}_cpu"),
        ]
        for key, name in names.items()
    ]
    target = Target("CPU ms of a task in all", median(found, "headway_cpu") * 1000, 0.6)
    columns = ("", "CPU ms/task", "tasks/s", "Headway ×")
    return Table(f"{count} trivial tasks in bulk", columns, rows, [target])


def _latency(count: int, found: Sequence[Numbers]) -> Table:
    names = {
        "committed": "Headway: until finished is committed",
        "awaited": "Headway: until await_result() returns",
        "raw": "raw SQLite: three commits",
    }
    rows: list[Row] = [
        [
            name,
            median(found, f"{key}_50") * 1000,
            median(found, f"{key}_99") * 1000,
            _ratio(found, f"{key}_50", "raw_50"),
        ]
        for key, name in names.items()
    ]
    target = Target("p50 ms", median(found, "committed_50") * 1000, 3)
    columns = ("from before aenqueue()", "p50 ms", "p99 ms", "× raw")
    return Table(f"{count} trivial tasks, one after the other", columns, rows, [target])


def sleepers(plan: Plan) -> list[Table]:
    """Tasks that only wait: how many can be under way together."""
    count, seconds = plan.size(2000, 20), 0.1
    rows: list[Row] = []
    for at_once in (_AT_ONCE, 2000):
        options = {"count": count, "seconds": seconds, "at_once": at_once}
        found = _repeated(plan, "sleepers", {"HEADWAY_CONCURRENCY": str(at_once)}, **options)
        rows += _makespans(f"{at_once} at once", found)
    return [Table(f"{count} tasks that each sleep {seconds} s", _MAKESPAN, rows)]


def threads(plan: Plan) -> list[Table]:
    """Sync tasks run beside each other."""
    count, seconds = 4, 0.2
    found = _repeated(plan, "threads", count=count, seconds=seconds)
    rows = _makespans("threads", found)
    target = Target("s for all four", median(found, "headway_wall"), 0.35)
    return [Table(f"{count} sync tasks of {seconds} s", _MAKESPAN, rows, [target])]


def runners(plan: Plan) -> list[Table]:
    """Trivial functions by each runner."""
    at_once = plan.size(500, 10)
    found = _repeated(plan, "runners", count=plan.size(200, 10), burst=at_once)
    names = {
        "async": "async: until await_result() returns",
        "thread": "thread",
        "process": "process",
        "fork": "bare fork of such a process, until its end",
    }
    rows: list[Row] = [
        [
            name,
            median(found, f"{key}_50") * 1000,
            median(found, f"{key}_99") * 1000,
            _ratio(found, f"{key}_50", "fork_50"),
        ]
        for key, name in names.items()
    ]
    most = {"async": 10, "thread": 10, "process": 60}
    targets = [
        Target(f"p50 ms, {key}", median(found, f"{key}_50") * 1000, ms) for key, ms in most.items()
    ]
    burst: list[Row] = [[f"{at_once} processes", 1 / median(found, "burst_wall")]]
    return [
        Table("One after the other", ("", "p50 ms", "p99 ms", "× fork"), rows, targets),
        Table("At once, all successful", ("", "tasks/s"), burst),
    ]


_MAKESPAN = ("", "makespan s", "CPU s", "× bare")


def _makespans(name: str, found: Sequence[Numbers]) -> list[Row]:
    return [
        [
            f"{side}, {name}",
            median(found, f"{key}_wall"),
            median(found, f"{key}_cpu"),
            _ratio(found, f"{key}_wall", "group_wall"),
        ]
        for key, side in (("headway", "Headway"), ("group", "bare TaskGroup"))
    ]


def _ratio(found: Sequence[Numbers], key: str, other: str) -> float:
    """The median of the ratio within each repetition."""
    return median([{"ratio": row[key] / row[other]} for row in found], "ratio")


def _repeated(
    plan: Plan, scenario: str, env: dict[str, str] | None = None, **options: Any
) -> list[Numbers]:
    """Each repetition measures the engine and its floor in turn, in a process of its own."""
    measure = partial(_inside, scenario, env or {}, options)
    return interleaved(plan, {scenario: measure})[scenario]


def _inside(scenario: str, env: dict[str, str], options: dict[str, Any]) -> Numbers:
    with tempfile.TemporaryDirectory(prefix="headway-bench-") as folder:
        for name in ("db.sqlite3", "migrated.sqlite3"):
            shutil.copy(migrated(tuple(_ENV.items())), Path(folder) / name)
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.inside", scenario, json.dumps(options)],
            cwd=ROOT,
            env=environment(Path(folder)) | _ENV | env,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    found: Numbers = json.loads(done.stdout)
    return found
