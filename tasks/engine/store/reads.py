"""Reading runs and their logs."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from tasks.conf import conf
from tasks.engine.store.dialect import as_moment, as_uuid, cursor, dialect, in_groups, marks
from tasks.events import APPEND, STARTED, Event
from tasks.exceptions import RunDoesNotExist
from tasks.models import TaskRun

__all__ = [
    "Head",
    "clock",
    "fetch_run",
    "heads",
    "queued_data",
    "read_events",
    "read_text",
    "runs_by_key",
]

T = TypeVar("T")


class Head(NamedTuple):
    """How far a run's log goes."""

    last_seq: int
    status: str


def clock() -> datetime:
    """The time by the database's clock, which all processes share."""
    with cursor() as open_cursor:
        open_cursor.execute(f"SELECT {dialect().now}", ())
        return as_moment(open_cursor.fetchone()[0])


def read_events(run_id: UUID, after: int, limit: int) -> list[Event]:
    """Up to *limit* events with a seq above *after*, in order."""
    with cursor() as open_cursor:
        open_cursor.execute(
            "SELECT seq, type, at, data FROM headway_event"
            " WHERE run_id = %s AND seq > %s ORDER BY seq LIMIT %s",
            (dialect().id(run_id), after, limit),
        )
        return [
            Event(seq, type_, as_moment(at), data)
            for seq, type_, at, data in open_cursor.fetchall()
        ]


def read_text(run_id: UUID, last_seq: int) -> list[str]:
    """The data of what the newest attempt has appended, in the log up to *last_seq*."""
    with cursor() as open_cursor:
        open_cursor.execute(
            "SELECT type, data FROM headway_event"
            " WHERE run_id = %s AND seq <= %s AND type IN (%s, %s) ORDER BY seq",
            (dialect().id(run_id), last_seq, APPEND, STARTED),
        )
        found: list[str] = []
        for type_, data in open_cursor.fetchall():
            if type_ == STARTED:
                found.clear()
            else:
                found.append(data)
        return found


def heads(run_ids: Collection[UUID]) -> dict[UUID, Head]:
    """The heads of these runs; an unknown id is absent."""
    form = dialect()
    found: dict[UUID, Head] = {}
    with cursor() as open_cursor:
        for some in in_groups([form.id(run_id) for run_id in run_ids]):
            open_cursor.execute(
                f"SELECT id, last_seq, status FROM headway_run WHERE id IN ({marks(some)})", some
            )
            for run_id, last_seq, status in open_cursor.fetchall():
                found[as_uuid(run_id)] = Head(last_seq, status)
    return found


def queued_data(run_ids: Collection[UUID]) -> dict[UUID, str]:
    """The data of these runs' first events."""
    form = dialect()
    found: dict[UUID, str] = {}
    with cursor() as open_cursor:
        for some in in_groups([form.id(run_id) for run_id in run_ids]):
            open_cursor.execute(
                "SELECT run_id, data FROM headway_event"
                f" WHERE seq = 1 AND run_id IN ({marks(some)})",
                some,
            )
            found |= {as_uuid(run_id): data for run_id, data in open_cursor.fetchall()}
    return found


def fetch_run(run_id: UUID) -> TaskRun:
    """The run; :class:`RunDoesNotExist` if there is none."""
    try:
        return TaskRun.objects.using(conf().database).get(pk=run_id)
    except TaskRun.DoesNotExist:
        raise RunDoesNotExist(f"There is no run {run_id}.") from None


def runs_by_key(ranges: Mapping[T, tuple[str, str]]) -> list[tuple[T, UUID]]:
    """The runs whose unique key is within one of *ranges*, beside the name of that."""
    sql = "SELECT id FROM headway_run WHERE unique_key BETWEEN %s AND %s"
    found: list[tuple[T, UUID]] = []
    with cursor() as reading:
        for name, bounds in ranges.items():
            reading.execute(sql, bounds)
            found += [(name, as_uuid(run_id)) for (run_id,) in reading.fetchall()]
    return found
