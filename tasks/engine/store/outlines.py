"""Reading runs for those who only show them."""

from collections.abc import Collection
from uuid import UUID

from tasks.conf import conf
from tasks.engine.store.dialect import in_groups
from tasks.models import TaskRun

__all__ = ["outlines"]

_LARGE = ("args", "kwargs", "return_value")


def outlines(run_ids: Collection[UUID]) -> dict[UUID, TaskRun]:
    """These runs without what may be large, which is read if it is asked for."""
    found: dict[UUID, TaskRun] = {}
    runs = TaskRun.objects.using(conf().database).defer(*_LARGE).order_by()
    for some in in_groups(list(run_ids)):
        found |= runs.in_bulk(some)
    return found
