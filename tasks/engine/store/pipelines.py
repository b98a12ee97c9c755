"""Runs that no process has: pipelines between their stages.

Such a run is RUNNING without a worker and without a lease, so that nobody claims, renews or
rescues it. What its stages have come to stands in its log. A stage is a run like any other; its
unique key says whose it is, and it is kept from retention until its pipeline has ended.
"""

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from tasks.conf import conf
from tasks.engine.store.dialect import as_uuid, cursor, dialect, in_groups, marks, writing
from tasks.engine.store.retention import KEPT
from tasks.engine.store.updates import RunWrite
from tasks.engine.store.writes import apply
from tasks.events import STAGE_FINISHED, STAGE_SKIPPED, STAGE_STARTED, STOPPING
from tasks.models import TaskRun

__all__ = [
    "StageRun",
    "lock_resting",
    "owner",
    "owners",
    "resting",
    "return_values",
    "stage_events",
    "stage_key",
    "stage_runs",
    "tie",
    "untie",
    "write_resting",
]

_KEY = re.compile(r"headway\.stage:([0-9a-f]{32}):.+", re.ASCII)
_FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
_TYPES = (STAGE_STARTED, STAGE_FINISHED, STAGE_SKIPPED, STOPPING)


class StageRun(NamedTuple):
    """What a pipeline has to know of a stage's run. *errors* is JSON text."""

    status: str
    errors: str
    cancel_requested: str


def stage_key(pipeline: UUID, stage: str) -> str:
    """The unique key of a stage's run."""
    return f"headway.stage:{pipeline.hex}:{stage}"


def owner(unique_key: str | None) -> UUID | None:
    """The pipeline whose stage has this key; None: it is no stage's."""
    found = _KEY.fullmatch(unique_key) if unique_key else None
    return UUID(hex=found[1]) if found else None


def owners(run_ids: Sequence[UUID]) -> set[UUID]:
    """The pipelines of which some of these runs are stages."""
    keys = _columns("unique_key", run_ids)
    return {found for (_, key) in keys if (found := owner(key)) is not None}


def resting(after: UUID | None, limit: int) -> dict[UUID, str]:
    """Up to *limit* such runs from *after* on, by their ids, with what was asked of them."""
    form = dialect()
    since = "" if after is None else "AND id > %s"
    with cursor() as reading:
        reading.execute(
            "SELECT id, cancel_requested FROM headway_run WHERE status = 'RUNNING'"
            f" AND lease_expires_at IS NULL AND worker_id = '' {since} ORDER BY id LIMIT %s",
            (*([] if after is None else [form.id(after)]), limit),
        )
        return {as_uuid(run_id): request for run_id, request in reading.fetchall()}


def lock_resting(run_id: UUID) -> TaskRun | None:
    """The run, which nobody else changes until the transaction ends; None if it does not rest."""
    runs = TaskRun.objects.using(conf().database).select_for_update()
    return runs.filter(pk=run_id, status="RUNNING", worker_id="").first()


def stage_events(run_ids: Sequence[UUID]) -> list[tuple[UUID, str, str]]:
    """Run, type and data of what the logs of pipelines say of their course, in order."""
    found: list[tuple[UUID, str, str]] = []
    form = dialect()
    with cursor() as reading:
        for some in in_groups([form.id(run_id) for run_id in run_ids]):
            reading.execute(
                "SELECT run_id, type, data FROM headway_event"
                f" WHERE run_id IN ({marks(some)}) AND type IN ({marks(_TYPES)})"
                " ORDER BY run_id, seq",
                (*some, *_TYPES),
            )
            found += [(as_uuid(row[0]), *row[1:]) for row in reading.fetchall()]
    return found


def stage_runs(run_ids: Sequence[UUID]) -> dict[UUID, StageRun]:
    """How these runs stand; without those that are gone."""
    rows = _columns("status, errors, cancel_requested", run_ids)
    return {as_uuid(row[0]): StageRun(*row[1:]) for row in rows}


def return_values(run_ids: Sequence[UUID]) -> dict[UUID, str | None]:
    """What these runs returned, as JSON text."""
    return {as_uuid(row[0]): row[1] for row in _columns("return_value", run_ids)}


def write_resting(write: RunWrite) -> None:
    """Write to a run that :func:`lock_resting` has given, in the same transaction."""
    with writing() as open_cursor:
        apply(open_cursor, [write])


def tie(run_ids: Sequence[UUID]) -> None:
    """Keep these runs when they have finished, until :func:`untie`."""
    _keep_until(run_ids, "%s", dialect().moment(_FOREVER))


def untie(run_ids: Sequence[UUID]) -> None:
    """Leave these runs to retention; whoever watches them has time to say so."""
    _keep_until(run_ids, dialect().later, KEPT)


def _keep_until(run_ids: Collection[UUID], moment: str, parameter: Any) -> None:
    form = dialect()
    with writing() as open_cursor:
        for some in in_groups([form.id(run_id) for run_id in run_ids]):
            open_cursor.execute(
                f"WITH these AS (SELECT id FROM headway_run WHERE id IN ({marks(some)})"
                f" {form.for_update}) UPDATE headway_run SET watched_until = {moment}"
                " WHERE id IN (SELECT id FROM these)",
                (*some, parameter),
            )


def _columns(names: str, run_ids: Sequence[UUID]) -> list[Any]:
    found: list[Any] = []
    form = dialect()
    with cursor() as reading:
        for some in in_groups([form.id(run_id) for run_id in run_ids]):
            reading.execute(
                f"SELECT id, {names} FROM headway_run WHERE id IN ({marks(some)})", tuple(some)
            )
            found += reading.fetchall()
    return found
