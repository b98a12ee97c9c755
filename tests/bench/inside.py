"""What is measured inside one process: ``python -m tests.bench.inside <name> <JSON>``.

A process of its own for each repetition, so that none inherits another's garbage. Prints
what it found as JSON, times in seconds.
"""

import asyncio
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from tasks.conf import conf  # noqa: E402
from tasks.engine.news import waiting  # noqa: E402
from tasks.models import TaskEvent, TaskRun  # noqa: E402
from tasks.testing import running_supervisor  # noqa: E402
from tests.bench import floor  # noqa: E402
from tests.bench.app import tasks as app  # noqa: E402

Found = dict[str, float]

BATCH = 100  # runs a transaction on the floor; the engine's claims have as many


class Finishes:
    """Sees runs finish: the moment after their last event is committed and published."""

    def __init__(self) -> None:
        self.at: dict[UUID, float] = {}
        self._count = 0
        self._news = asyncio.Event()
        self._notify = waiting.notify

    def __enter__(self) -> "Finishes":
        waiting.notify = self._see
        return self

    def __exit__(self, *_: object) -> None:
        waiting.notify = self._notify

    def _see(self, run_id: UUID) -> None:
        self.at[run_id] = time.perf_counter()
        self._news.set()
        self._notify(run_id)

    async def wait_for(self, count: int) -> None:
        while len(self.at) < count:
            self._news.clear()
            await self._news.wait()


@contextmanager
def clock(found: Found, name: str, count: int = 1) -> Iterator[None]:
    """Adds ``<name>_wall`` and ``<name>_cpu``, of the whole process, for each of *count*."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    found[f"{name}_wall"] = (time.perf_counter() - wall) / count
    found[f"{name}_cpu"] = (time.process_time() - cpu) / count


async def trivial(count: int) -> Found:
    """Enqueue in bulk, execute, finish; the raw statements; a bare TaskGroup."""
    found: Found = {}
    with raw_log() as raw, clock(found, "raw", count):
        raw.write(count, BATCH)
    with clock(found, "group", count):
        await floor.task_group(count)
    async with running_supervisor():
        await (await app.nothing.aenqueue()).await_result(60)
        with Finishes() as finishes, clock(found, "headway", count):
            await app.nothing.aenqueue_many([((), {})] * count)
            await finishes.wait_for(count)
    return found


async def latency(count: int) -> Found:
    """One after the other: enqueue, and wait for its end."""
    begun: dict[UUID, float] = {}
    awaited, raws = [], []
    async with running_supervisor():
        await (await app.nothing.aenqueue()).await_result(60)
        with Finishes() as finishes:
            for _ in range(count):
                began = time.perf_counter()
                handle = await app.nothing.aenqueue()
                await handle.await_result(60)
                awaited.append(time.perf_counter() - began)
                begun[handle.run_id] = began
            await finishes.wait_for(count)
            committed = [finishes.at[run_id] - began for run_id, began in begun.items()]
    with raw_log() as raw:
        for _ in range(count):
            began = time.perf_counter()
            raw.write(1, 1)
            raws.append(time.perf_counter() - began)
    return _shares({"committed": committed, "awaited": awaited, "raw": raws})


async def results(count: int) -> Found:
    """From before the enqueue to the result in hand, one after the other, in a warm process."""
    took: dict[str, list[float]] = {}
    async with running_supervisor():
        for name, task in (("async", app.nothing), ("thread", app.nothing_in_thread)):
            for _ in range(10):  # connections are open then, and code is loaded
                await (await task.aenqueue()).aresult(60)
            took[name] = [await _one(task) for _ in range(count)]
        took["blocking"] = await asyncio.to_thread(_blocking, count)
    return _shares(took)


async def _one(task: Any) -> float:
    began = time.perf_counter()
    await (await task.aenqueue()).aresult(60)
    return time.perf_counter() - began


def _blocking(count: int) -> list[float]:
    """The same from sync code, in another thread than the supervisor's."""
    took = []
    for _ in range(count):
        began = time.perf_counter()
        app.nothing_in_thread.enqueue().result(60)
        took.append(time.perf_counter() - began)
    connection.close()
    return took


def _shares(took: Mapping[str, Sequence[float]]) -> Found:
    return {
        f"{name}_{share}": sorted(values)[len(values) * share // 100]
        for name, values in took.items()
        for share in (50, 99)
    }


async def sleepers(count: int, seconds: float, at_once: int) -> Found:
    """Runs that sleep, *at_once* at a time."""
    assert conf().concurrency == at_once
    found: Found = {}
    with clock(found, "group"):
        await floor.sleepers(count, seconds, at_once)
    async with running_supervisor():
        with Finishes() as finishes, clock(found, "headway"):
            await app.rest.aenqueue_many([((seconds,), {})] * count)
            await finishes.wait_for(count)
    return found


async def threads(count: int, seconds: float) -> Found:
    """Sync runs that block a thread each."""
    found: Found = {}
    with clock(found, "group"):
        await floor.threads(count, seconds)
    async with running_supervisor():
        with Finishes() as finishes, clock(found, "headway"):
            await app.block.aenqueue_many([((seconds,), {})] * count)
            await finishes.wait_for(count)
    return found


async def runners(count: int, burst: int) -> Found:
    """Trivial functions by each runner, one after the other; then *burst* processes at once."""
    found: Found = {}
    forks = floor.forks(count)
    tasks: dict[str, Any] = {
        "async": app.nothing,
        "thread": app.nothing_in_thread,
        "process": app.nothing_apart,
    }
    seen = {"fork": forks, **{name: [] for name in tasks}}
    async with running_supervisor():
        for task in tasks.values():
            await (await task.aenqueue()).await_result(60)
        for _ in range(count):
            for name, task in tasks.items():
                began = time.perf_counter()
                await (await task.aenqueue()).await_result(60)
                seen[name].append(time.perf_counter() - began)
        with Finishes() as finishes, clock(found, "burst", burst):
            await app.nothing_apart.aenqueue_many([((), {})] * burst)
            await finishes.wait_for(burst)
    for name, values in seen.items():
        for share in (50, 99):
            found[f"{name}_{share}"] = sorted(values)[len(values) * share // 100]
    return found


@contextmanager
def raw_log() -> Iterator[floor.RawLog]:
    """The floor's statements, on a copy of the database."""
    path = Path(settings.DATABASES["default"]["NAME"])
    copy = path.with_name("raw.sqlite3")
    shutil.copy(path.with_name("migrated.sqlite3"), copy)
    raw = floor.RawLog(copy)
    try:
        yield raw
    finally:
        raw.close()


def check(count: int) -> None:
    """That every run has succeeded, and left its three events."""
    states = Counter(TaskRun.objects.order_by().values_list("status", flat=True))
    types = Counter(TaskEvent.objects.order_by().values_list("type", flat=True))
    finished = states["SUCCESSFUL"]
    assert finished >= count, states
    assert states.total() == finished, states
    assert types == dict.fromkeys(("queued", "started", "finished"), finished), types


SCENARIOS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (trivial, latency, results, sleepers, threads, runners)
}

if __name__ == "__main__":
    arguments = json.loads(sys.argv[2])
    print(json.dumps(asyncio.run(SCENARIOS[sys.argv[1]](**arguments))))
    check(arguments["count"])
