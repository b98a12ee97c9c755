"""One side, measured: a queue worked off, and tasks that come one by one."""

import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.bench.rivals.marks import WARM
from tests.bench.rivals.sides import Side
from tests.processes import ROOT
from tests.services import databases

__all__ = ["Servers", "backlog", "paced"]

Numbers = Mapping[str, float]

_PATIENCE = 180.0  # seconds for a worker to do all of it


class Servers:
    """The two servers that all sides share."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self.postgres = urls["TEST_DATABASE_URL"]
        self.redis = urls["TEST_REDIS_URL"]

    @contextmanager
    def fresh(self, side: Side) -> Iterator["Trial"]:
        """A new database with the side's tables; Redis is emptied."""
        import redis

        redis.Redis.from_url(self.redis).flushall()
        name = f"bench_{secrets.token_hex(4)}"
        url = databases.create(self.postgres, name)
        with tempfile.TemporaryDirectory(prefix="headway-bench-") as folder:
            env = {
                "PATH": os.environ["PATH"],
                "HOME": folder,
                "PYTHONPATH": str(ROOT),
                "DATABASE_URL": url,
                "REDIS_URL": self.redis,
                "BENCH_MARKS": folder,
                "HEADWAY_DATA": folder,
                **side.env,
            }
            try:
                side.prepare(env)
                yield Trial(side, Path(folder), env)
            finally:
                databases.drop(self.postgres, name)


class Trial:
    def __init__(self, side: Side, folder: Path, env: Mapping[str, str]) -> None:
        self._side = side
        self._folder = folder
        self._env = dict(env)

    def load(self, kind: str, count: int, rate: float) -> float:
        """Enqueue; the seconds it took."""
        arguments = [self._side.app, kind, str(count), str(rate)]
        done = subprocess.run(
            [self._side.python, "-m", "tests.bench.rivals.load", *arguments],
            cwd=ROOT,
            env=self._env,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return float(done.stdout)

    @contextmanager
    def worker(self, count: int) -> Iterator[None]:
        """One worker process, which notes its first *count* tasks."""
        command = [self._side.python, *self._side.worker]
        env = self._env | {"BENCH_COUNT": str(count)}
        log = self._folder / "log"
        with (
            log.open("wb") as output,
            subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=output) as process,
        ):
            try:
                yield
            except TimeoutError:
                sys.stderr.write(log.read_text()[-4000:])
                raise
            finally:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()

    def marks(self) -> list[tuple[float, float, float, float]]:
        """What the worker has noted, once it has all."""
        path = self._folder / "marks"
        deadline = time.monotonic() + _PATIENCE
        while not path.exists():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._side.name} has not done its tasks.")
            time.sleep(0.05)  # another process's file
        found: list[tuple[float, float, float, float]] = json.loads(path.read_text())
        return found


def backlog(servers: Servers, side: Side, kind: str, count: int) -> Numbers:
    """*count* tasks wait when the worker starts."""
    with servers.fresh(side) as trial:
        enqueueing = trial.load(kind, count, 0)
        with trial.worker(count):
            marks = trial.marks()
    ended = [mark[2] for mark in marks]
    wall = max(ended) - min(mark[1] for mark in marks)
    cpu = marks[-1][3] - marks[0][3]
    return {"rate": count / wall, "cpu": cpu / count, "enqueued": count / enqueueing}


def paced(servers: Servers, side: Side, kind: str, count: int, rate: float) -> Numbers:
    """*rate* tasks a second come to a worker that waits: seconds from the call to the start."""
    with servers.fresh(side) as trial, trial.worker(count + WARM):
        trial.load(kind, count, rate)
        marks = trial.marks()
    waits = sorted(begun - sent for sent, begun, _, _ in marks[WARM:])
    cuts = statistics.quantiles(waits, n=100, method="inclusive")
    return {"p50": cuts[49], "p99": cuts[98]}
