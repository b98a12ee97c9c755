"""What the same work costs with nothing around it: the ground that Headway stands on."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import anyio
import anyio.to_thread
from django.conf import settings

from tasks.ids import new_run_id

__all__ = ["RawLog", "forks", "sleepers", "task_group", "threads"]

Row = tuple[object, ...]


async def task_group(count: int) -> None:
    """As many trivial coroutines in a TaskGroup."""

    async def nothing() -> None:
        pass

    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(nothing)


def forks(count: int) -> list[float]:
    """Seconds to fork this process, which has imported as much as a fork server, and see it end.

    To be called while it has one thread.
    """
    found = []
    for _ in range(count):
        began = time.perf_counter()
        if not (pid := os.fork()):
            os._exit(0)
        os.waitpid(pid, 0)
        found.append(time.perf_counter() - began)
    return found


async def sleepers(count: int, seconds: float, at_once: int) -> None:
    """As many coroutines that sleep, *at_once* at a time."""
    limit = asyncio.Semaphore(at_once)

    async def rest() -> None:
        async with limit:
            await asyncio.sleep(seconds)  # it is what is measured

    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(rest)


async def threads(count: int, seconds: float) -> None:
    """As many threads that block."""
    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(anyio.to_thread.run_sync, time.sleep, seconds)


class RawLog:
    """The rows that a trivial run leaves, written by sqlite3 itself.

    *path* is a migrated database. What Headway does in three transactions (enqueue,
    claim, finish) is three transactions here, of as many runs as are given.
    """

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript(settings.DATABASES["default"]["OPTIONS"]["init_command"])

    def write(self, count: int, batch: int) -> None:
        for start in range(0, count, batch):
            ids = [new_run_id().hex for _ in range(min(batch, count - start))]
            self.enqueue(ids)
            self.claim(ids)
            self.finish(ids)

    def close(self) -> None:
        self._database.close()

    def enqueue(self, ids: Sequence[str]) -> None:
        now = _now()
        data = '{"task":"tests.bench.app.tasks.nothing","queue_name":"default","priority":0}'
        self._transaction(
            "INSERT INTO headway_run (id, task, args, kwargs, queue_name, priority, deferred,"
            " backend, max_attempts, metadata, enqueued_at, status, attempt, fence, worker_id,"
            " cancel_requested, last_seq, errors, worker_ids)"
            " VALUES (?, 'tests.bench.app.tasks.nothing', '[]', '{}', 'default', 0, FALSE,"
            " 'default', 1, '{}', ?, 'READY', 0, 0, '', '', 1, '[]', '[]')",
            ((key, now) for key in ids),
            ((key, 1, "queued", now, data) for key in ids),
        )

    def claim(self, ids: Sequence[str]) -> None:
        now = _now()
        data = '{"attempt":1,"worker":"host:12345:abcdef01"}'
        self._transaction(
            "UPDATE headway_run SET status = 'RUNNING', fence = 1, attempt = 1, last_seq = 2,"
            " worker_id = 'host:12345:abcdef01', worker_ids = '[\"host:12345:abcdef01\"]',"
            " lease_expires_at = ?1, started_at = ?1, last_attempted_at = ?1 WHERE id = ?2",
            ((now, key) for key in ids),
            ((key, 2, "started", now, data) for key in ids),
        )

    def finish(self, ids: Sequence[str]) -> None:
        now = _now()
        data = '{"status":"SUCCESSFUL","return_value":null}'
        self._transaction(
            "UPDATE headway_run SET status = 'SUCCESSFUL', return_value = 'null', last_seq = 3,"
            " worker_id = '', lease_expires_at = NULL, finished_at = ? WHERE id = ?",
            ((now, key) for key in ids),
            ((key, 3, "finished", now, data) for key in ids),
        )

    def _transaction(self, statement: str, runs: Iterator[Row], events: Iterator[Row]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany(statement, runs)
        self._database.executemany(
            "INSERT INTO headway_event (run_id, seq, type, at, data) VALUES (?, ?, ?, ?, ?)", events
        )
        self._database.execute("COMMIT")


def _now() -> str:
    return datetime.now(UTC).isoformat(" ", "microseconds")[:26]
