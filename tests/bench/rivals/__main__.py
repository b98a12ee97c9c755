"""``python -m tests.bench.rivals PYTHON``: Headway beside other task queues.

All on the same PostgreSQL and Redis, which wait for the disk, with one worker process
each, in the same run, in turn. *PYTHON* is one that has ``requirements.txt`` installed;
``make rivals`` does both. Rates and latencies are the machine's as well: compare them
within a run.
"""

import argparse
import os
import platform
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from tests.bench.plan import Numbers, Plan, interleaved, median
from tests.bench.rivals.sides import Side, sides
from tests.bench.rivals.trial import Servers, backlog, paced
from tests.bench.table import Row, Table
from tests.services import running

KINDS = {"nothing": "trivial tasks", "rest": "tasks that sleep 10 ms"}
RATE = 50.0  # tasks a second, one by one: all sides keep up with trivial ones


def main() -> None:
    parser = argparse.ArgumentParser("tests.bench.rivals", description=__doc__)
    parser.add_argument("python", type=Path, help="has the others installed")
    parser.add_argument("--only", default="", help="sides whose name begins so")
    parser.add_argument("--repeats", type=int, default=3, help="medians are of so many")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is the usual size")
    given = parser.parse_args()
    plan = Plan(given.repeats, given.scale)
    who = [side for side in sides(given.python.absolute()) if side.name.startswith(given.only)]
    print(
        f"Python {platform.python_version()}, Django {version('Django')}; {os.cpu_count()} cores,"
        f" load {os.getloadavg()[0]:.1f}; medians of {plan.repeats}, interleaved; PostgreSQL and"
        " Redis durable; one worker process each"
    )
    with running(durable=True) as urls:
        servers = Servers(urls)
        for kind, title in KINDS.items():
            print(f"\n{_backlog(plan, servers, who, kind, title)}")
            print(f"\n{_paced(plan, servers, who, kind, title)}")


def _backlog(plan: Plan, servers: Servers, who: list[Side], kind: str, title: str) -> Table:
    count = plan.size(4000, 100)
    found = interleaved(plan, _each(who, lambda side: backlog(servers, side, kind, count)))
    rows: list[Row] = [
        [
            name,
            median(trials, "rate"),
            median(trials, "rate", found[who[0].name]),
            median(trials, "cpu") * 1000,
            median(trials, "enqueued"),
        ]
        for name, trials in found.items()
    ]
    columns = ("", "tasks/s", "× ours", "worker CPU ms/task", "enqueued/s")
    return Table(f"{count} {title} wait", columns, rows)


def _paced(plan: Plan, servers: Servers, who: list[Side], kind: str, title: str) -> Table:
    count = plan.size(1000, 100)
    found = interleaved(plan, _each(who, lambda side: paced(servers, side, kind, count, RATE)))
    rows: list[Row] = [
        [
            name,
            median(trials, "p50") * 1000,
            median(trials, "p99") * 1000,
            median(trials, "p50", found[who[0].name]),
            median(trials, "p99", found[who[0].name]),
        ]
        for name, trials in found.items()
    ]
    columns = ("from enqueue() to the start", "p50 ms", "p99 ms", "p50 × ours", "p99 × ours")
    return Table(f"{count} {title}, {RATE:g} a second", columns, rows)


def _each(
    who: list[Side], measure: Callable[[Side], Numbers]
) -> Mapping[str, Callable[[], Numbers]]:
    return {side.name: (lambda side=side: measure(side)) for side in who}  # type: ignore[misc]


if __name__ == "__main__":
    main()
