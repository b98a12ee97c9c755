"""What decides whether somebody may still look at runs, as it stands in their rows."""

from collections.abc import Collection
from uuid import UUID

from tasks.conf import conf
from tasks.engine.store.dialect import as_uuid, cursor, dialect, in_groups, marks
from tasks.exceptions import RunDoesNotExist
from tasks.models import TaskRun

__all__ = ["grants_revoked", "revoke_grants", "rows"]

# May be large, and are read again only if somebody asks for them.
_LARGE = ("args", "kwargs", "progress", "return_value", "errors", "worker_ids")


def revoke_grants(run_id: UUID) -> int:
    """End all grants of a run; how often that has happened now."""
    with cursor() as open_cursor:
        open_cursor.execute(
            "UPDATE headway_run SET grants_revoked = grants_revoked + 1"
            " WHERE id = %s RETURNING grants_revoked",
            (dialect().id(run_id),),
        )
        row = open_cursor.fetchone()
    if row is None:
        raise RunDoesNotExist(f"There is no run {run_id}.")
    return int(row[0])


def grants_revoked(run_ids: Collection[UUID]) -> dict[UUID, int]:
    """How often the grants of these runs were revoked; an unknown id is absent."""
    found: dict[UUID, int] = {}
    with cursor() as open_cursor:
        for some in in_groups([dialect().id(run_id) for run_id in run_ids]):
            open_cursor.execute(
                f"SELECT id, grants_revoked FROM headway_run WHERE id IN ({marks(some)})", some
            )
            found |= {as_uuid(run_id): count for run_id, count in open_cursor.fetchall()}
    return found


def rows(run_ids: Collection[UUID]) -> dict[UUID, TaskRun]:
    """These runs, without what may be large; an unknown id is absent."""
    known = TaskRun.objects.using(conf().database).defer(*_LARGE)
    return {run.pk: run for some in in_groups(list(run_ids)) for run in known.filter(pk__in=some)}
