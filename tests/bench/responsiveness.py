"""An idle page while many tasks wait: does a visitor notice them?"""

import socket
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

from tests.bench.plan import Numbers, Plan, interleaved, median
from tests.bench.servers import get, headway
from tests.bench.table import Row, Table, Target
from tests.live import LiveServer

__all__ = ["idle"]

_PAGES = {"/health/live": "async", "/bench/idle/": "sync"}
_KEYS = ("p50", "p99", "cpu")
_gates = count()


def idle(plan: Plan) -> list[Table]:
    """Requests one after the other on one connection, with and without 200 waiting tasks."""
    waiting, requests = plan.size(200, 5), plan.size(1000, 50)
    rows: list[Row] = []
    targets: list[Target] = []
    with (
        tempfile.TemporaryDirectory(prefix="headway-bench-") as folder,
        headway(Path(folder)).start() as server,
    ):
        for path, view in _PAGES.items():
            _pages(server, path, requests // 4)  # pays for imports and connections
            sides: dict[str, Callable[[], Numbers]] = {
                "nothing else": partial(_pages, server, path, requests),
                f"{waiting} tasks waiting": partial(_beside, server, path, requests, waiting),
            }
            found = interleaved(plan, sides)
            baseline = found["nothing else"]
            for what, results in found.items():
                ratio = median(results, "p99", baseline)
                rows.append(
                    [
                        f"{path} ({view} view), {what}",
                        *(median(results, key) for key in _KEYS),
                        ratio,
                    ]
                )
            targets.append(Target(f"p99 of {path} against its baseline", ratio, 2))
    columns = ("", "p50 ms", "p99 ms", "CPU ms", "p99 × baseline")
    return [Table(f"Idle page, {requests} requests", columns, rows, targets)]


def _beside(server: LiveServer, path: str, requests: int, waiting: int) -> Numbers:
    """The same while tasks wait: all of them do when the first request is sent."""
    gate = f"gate-{next(_gates)}"
    get(server, f"/bench/gather/{gate}/{waiting}/")
    try:
        return _pages(server, path, requests)
    finally:
        get(server, f"/bench/go/{gate}/")


def _pages(server: LiveServer, path: str, requests: int) -> Numbers:
    asked = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    took = []
    cpu = server.usage().cpu
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        for _ in range(requests):
            began = time.perf_counter()
            connection.sendall(asked)
            answer = connection.recv(65536)
            while not answer.endswith(b"\r\n0\r\n\r\n") and not _whole(answer):
                answer += connection.recv(65536)
            took.append((time.perf_counter() - began) * 1000)
            assert answer.startswith(b"HTTP/1.1 200 "), answer
    took.sort()
    return {
        "p50": took[len(took) // 2],
        "p99": took[len(took) * 99 // 100],
        "cpu": (server.usage().cpu - cpu) * 1000 / requests,
    }


def _whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    _, found, length = head.lower().partition(b"content-length: ")
    return bool(found) and len(body) >= int(length.split(b"\r\n")[0])
