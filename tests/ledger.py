"""The database as it is, seen past every server."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID
from zlib import crc32

from tests.frames import content

__all__ = ["Ledger", "Run"]

PATIENCE = 40.0  # seconds: another process has to start, or a lease to end
LOOK = 0.02  # seconds between two looks at what another process writes


class Source(Protocol):
    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]: ...
    def key(self, run_id: str) -> Any: ...


class Run(NamedTuple):
    status: str
    attempt: int
    fence: int
    last_seq: int
    workers: list[str]
    return_value: Any


class Ledger:
    """Reads runs and their logs."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def run(self, run_id: str) -> Run:
        (row,) = self._source.rows(
            "SELECT status, attempt, fence, last_seq, worker_ids, return_value"
            " FROM headway_run WHERE id = ?",
            [self._source.key(run_id)],
        )
        status, attempt, fence, last_seq, workers, value = row
        value = json.loads(value or "null")
        return Run(status, attempt, fence, last_seq, json.loads(workers), value)

    def ids(self) -> list[str]:
        rows = self._source.rows("SELECT id FROM headway_run ORDER BY id")
        return [str(UUID(str(row[0]))) for row in rows]

    def keys(self) -> dict[str, str]:
        """The runs that have a unique key, by it."""
        rows = self._source.rows("SELECT unique_key, id FROM headway_run WHERE unique_key <> ''")
        return {str(key): str(UUID(str(run_id))) for key, run_id in rows}

    def statuses(self) -> Counter[str]:
        rows = self._source.rows("SELECT status, count(*) FROM headway_run GROUP BY status")
        return Counter({str(status): count for status, count in rows})

    def attempts(self) -> Counter[tuple[int, int]]:
        """How many runs have had so many attempts and so high a fence."""
        rows = self._source.rows("SELECT attempt, fence, count(*) FROM headway_run GROUP BY 1, 2")
        return Counter({(attempt, fence): count for attempt, fence, count in rows})

    def workers(self) -> Counter[str]:
        """How many runs each worker has had, those that several have had not counted."""
        rows = self._source.rows("SELECT worker_ids, count(*) FROM headway_run GROUP BY 1")
        return Counter({str(workers): count for workers, count in rows if workers.count(",") == 0})

    def log(self, run_id: str) -> list[tuple[int, str]]:
        """(seq, type) of a run's events."""
        return [(row[1], row[2]) for row in self._events(run_id)]

    def digest(self, run_id: str) -> tuple[int, int]:
        """How many events the log has, and the CRC-32 of what they say."""
        log = self._events(run_id)
        said = b"".join(content(row[1], row[2].encode(), row[4].encode()) for row in log)
        return len(log), crc32(said)

    def everything(self, run_id: str) -> tuple[list[Any], list[Any]]:
        """Every column of the run and of its events."""
        key = self._source.key(run_id)
        run = self._source.rows("SELECT * FROM headway_run WHERE id = ?", [key])
        return run, self._events(run_id)

    async def until(self, holds: Callable[[], object], patience: float = PATIENCE) -> None:
        """Look until it holds: what another process writes, it tells nobody else."""
        async with asyncio.timeout(patience):
            while not holds():  # noqa: ASYNC110
                await asyncio.sleep(LOOK)  # it is another process's event

    async def until_successful(self, count: int, patience: float = PATIENCE) -> None:
        """Wait until at least so many runs have succeeded."""
        await self.until(lambda: self.statuses()["SUCCESSFUL"] >= count, patience)

    async def until_finished(self, run_id: str, status: str = "SUCCESSFUL") -> None:
        """Wait until the run has this status; fails at once if it ends with another."""

        def holds() -> bool:
            now = self.run(run_id).status
            assert now in (status, "READY", "RUNNING"), self.everything(run_id)
            return now == status

        await self.until(holds)

    def _events(self, run_id: str) -> list[tuple[Any, ...]]:
        return self._source.rows(
            "SELECT run_id, seq, type, at, data FROM headway_event WHERE run_id = ? ORDER BY seq",
            [self._source.key(run_id)],
        )
