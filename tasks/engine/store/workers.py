"""The processes that execute runs, as they say of themselves."""

from dataclasses import dataclass, field
from datetime import datetime

from tasks.codec import decode, encode
from tasks.engine.store.dialect import as_moment, cursor, dialect, marks

__all__ = ["LiveWorker", "WorkerInfo", "forget_silent", "leave", "live_workers", "show_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerInfo:
    """What a process says of itself once and for all."""

    id: str
    host: str
    pid: int
    role: str
    #: Names of the queues it takes runs from; empty: all.
    queues: list[str] = field(default_factory=list)
    concurrency: int
    version: str
    layer: str


@dataclass(frozen=True, slots=True)
class LiveWorker:
    """A process that was seen within the time asked for."""

    id: str
    host: str
    pid: int
    role: str
    queues: list[str]
    layer: str
    draining: bool
    seen_at: datetime

    def takes(self, queue_name: str) -> bool:
        return not self.queues or queue_name in self.queues


_COLUMNS = (
    *("id", "host", "pid", "role", "queues", "concurrency", "version", "layer"),
    "draining",
)


def show_up(info: WorkerInfo, draining: bool) -> None:
    """Say that the process lives: one statement. The first time, its row is made."""
    now = dialect().now
    row = (
        *(info.id, info.host, info.pid, info.role, encode(info.queues)),
        *(info.concurrency, info.version, info.layer, draining),
    )
    with cursor() as open_cursor:
        open_cursor.execute(
            f"INSERT INTO headway_worker ({', '.join(_COLUMNS)}, started_at, seen_at)"
            f" VALUES ({marks(_COLUMNS)}, {now}, {now}) ON CONFLICT (id) DO UPDATE"
            " SET draining = excluded.draining, seen_at = excluded.seen_at",
            row,
        )


def leave(worker_id: str) -> None:
    """The process has ended in order."""
    with cursor() as open_cursor:
        open_cursor.execute("DELETE FROM headway_worker WHERE id = %s", (worker_id,))


def forget_silent(seconds: float) -> None:
    """Remove the rows of processes that have said nothing for so long."""
    with cursor() as open_cursor:
        open_cursor.execute(
            f"DELETE FROM headway_worker WHERE seen_at < {dialect().later}", (-seconds,)
        )


def live_workers(seconds: float) -> list[LiveWorker]:
    """The processes that were seen in the last *seconds*, by the database's clock."""
    with cursor() as open_cursor:
        open_cursor.execute(
            "SELECT id, host, pid, role, queues, layer, draining, seen_at FROM headway_worker"
            f" WHERE seen_at >= {dialect().later} ORDER BY started_at",
            (-seconds,),
        )
        return [
            LiveWorker(id_, host, pid, role, decode(queues), layer, bool(draining), as_moment(seen))
            for id_, host, pid, role, queues, layer, draining, seen in open_cursor.fetchall()
        ]
