"""Which runs a list asks for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTransform

from tasks.conf import conf
from tasks.engine.store.changes import Horizon, news
from tasks.models import TaskRun
from tasks.states import RunStatus

__all__ = ["Wanted", "changed_ids", "newest_ids"]

#: Leaves out runs that somebody may not see anyway, where a database can tell.
Narrow = Callable[[QuerySet[TaskRun]], QuerySet[TaskRun]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Runs of any of these tasks, queues and statuses; empty: of all.

    *metadata* has names and the values that each may have, as JSON scalars.
    """

    tasks: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    metadata: tuple[tuple[str, tuple[Any, ...]], ...] = ()

    def has(self, run: TaskRun) -> bool:
        """Whether the run belongs on the list as it is."""
        return self._is_kind(run) and (not self.statuses or run.status in self.statuses)

    def touches(self, run: TaskRun) -> bool:
        """Whether the run is on the list, or may have been before its state changed."""
        return self._is_kind(run) and (
            not self.statuses
            or run.status in self.statuses
            or RunStatus.READY in self.statuses
            or (RunStatus.RUNNING in self.statuses and run.started_at is not None)
        )

    def _is_kind(self, run: TaskRun) -> bool:
        """What of it never changes."""
        return (
            (not self.tasks or run.task in self.tasks)
            and (not self.queues or run.queue_name in self.queues)
            and all(_is_one(run.metadata.get(name), given) for name, given in self.metadata)
        )


def newest_ids(wanted: Wanted, narrow: Narrow, limit: int) -> list[UUID]:
    """Up to *limit* runs that belong on the list, the newest first."""
    runs = narrow(_of_kind(wanted))
    if wanted.statuses:
        runs = runs.filter(status__in=wanted.statuses)
    return list(runs.order_by("-pk").values_list("pk", flat=True)[:limit])


def changed_ids(wanted: Wanted, narrow: Narrow, seen: Horizon, now: Horizon) -> list[UUID]:
    """All runs of the list's kind that have changed since; see :meth:`Wanted.touches`."""
    runs = narrow(_of_kind(wanted)).filter(news(seen, now))
    return list(runs.order_by("changed", "pk").values_list("pk", flat=True))


def _of_kind(wanted: Wanted) -> QuerySet[TaskRun]:
    found = TaskRun.objects.using(conf().database)
    given = Q()
    if wanted.tasks:
        given &= Q(task__in=wanted.tasks)
    if wanted.queues:
        given &= Q(queue_name__in=wanted.queues)
    for number, (name, values) in enumerate(wanted.metadata):
        # Not by the keyword, in which two underscores have a meaning.
        found = found.alias(**{f"given_{number}": KeyTransform(name, "metadata")})
        given &= Q(**{f"given_{number}__in": list(values)})
    return found.filter(given)


def _is_one(value: Any, given: tuple[Any, ...]) -> bool:
    """Whether a JSON scalar is among others. In JSON, true is no number."""
    kind = isinstance(value, bool)
    return any(value == other and kind == isinstance(other, bool) for other in given)
