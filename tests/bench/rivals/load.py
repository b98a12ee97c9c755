"""``python -m tests.bench.rivals.load <app> <kind> <count> <rate>``: enqueue.

*kind* is ``nothing`` or ``rest``; with a *rate* (a second) tasks are sent one by one, at
their time, and a worker that is up has done some before; else all in bulk, as fast as the
side can. Prints the seconds that enqueueing took.
"""

import importlib
import os
import sys
import time
from pathlib import Path

from tests.bench.rivals.marks import WARM

_PATIENCE = 60.0  # seconds for a worker to start


def main(app: str, kind: str, count: int, rate: float) -> None:
    side = importlib.import_module(f"tests.bench.rivals.apps.{app}")
    began = time.perf_counter()
    if not rate:
        side.send_many(kind, count)
    else:
        for _ in range(WARM):
            side.send(kind)
        _await(Path(os.environ["BENCH_MARKS"]) / "warm")
        began = time.perf_counter()
        for number in range(count):
            time.sleep(max(0.0, began + number / rate - time.perf_counter()))  # it is the pace
            side.send(kind)
    print(time.perf_counter() - began)


def _await(path: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError("The worker has executed nothing.")
        time.sleep(0.05)  # another process's file


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
