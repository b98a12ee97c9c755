"""``python -m tests.bench [name …]``: measure, and print tables.

CPU seconds and the ratios within one run are what to compare: rates and latencies are
the machine's as much as ours.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version

from tests.bench import engine, fanout, memory, patterns, replay, responsiveness
from tests.bench.plan import Plan
from tests.bench.table import Table

__all__ = ["BENCHMARKS", "main"]

BENCHMARKS: Mapping[str, Callable[[Plan], list[Table]]] = {
    "burst": fanout.burst,
    "websocket": fanout.websocket,
    "paced": fanout.paced,
    "groups": patterns.groups,
    "crowd": patterns.crowd,
    "memory": memory.memory,
    "replay": replay.replay,
    "tasks": engine.tasks,
    "results": engine.results,
    "sleepers": engine.sleepers,
    "threads": engine.threads,
    "runners": engine.runners,
    "idle": responsiveness.idle,
}


def main(arguments: list[str]) -> str | None:
    """Run and print them; which targets were missed."""
    parser = argparse.ArgumentParser("tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(BENCHMARKS))
    parser.add_argument("--repeats", type=int, default=3, help="medians are of so many")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is the usual size")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - BENCHMARKS.keys():
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    plan = Plan(given.repeats, given.scale)
    print(_machine(plan))
    missed: list[str] = []
    for name in given.names or BENCHMARKS:
        began, load = time.monotonic(), os.getloadavg()[0]
        for table in BENCHMARKS[name](plan):
            print(f"\n{table}")
            missed += [str(target) for target in table.targets if not target.reached]
        took = time.monotonic() - began
        print(f"  {name}: {took:.0f} s, load {load:.1f} before, {os.getloadavg()[0]:.1f} after")
    return "\n".join(missed) or None


def _machine(plan: Plan) -> str:
    names = ("Django", "channels", "daphne", "Twisted")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return (
        f"Python {platform.python_version()}, {versions}; {os.cpu_count()} cores,"
        f" load {os.getloadavg()[0]:.1f}; medians of {plan.repeats}, interleaved"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
