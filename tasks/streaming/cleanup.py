"""Deleting StreamTasks that were completed long ago, with their runs and events."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import router, transaction

from tasks.engine import store
from tasks.stream_task import StreamTask
from tasks.streaming.keys import keys_of_runs
from tasks.streaming.lookup import stream_models

__all__ = ["clean_up", "due"]

_ROWS, _EVENTS = 200, 2_000  # in one transaction
_SHARE = 0.1  # of the time is spent in transactions
_BREATH = 0.02  # seconds between two transactions at least


def due(before: datetime) -> Iterator[tuple[type[StreamTask], Any]]:
    """The models, each with a query for its rows that were completed before then."""
    for model in stream_models():
        if not model._meta.proxy:
            yield model, model._base_manager.filter(completed_at__lt=before)


def clean_up(
    before: datetime, pause: Callable[[float], object] = time.sleep
) -> Iterator[tuple[type[StreamTask], int]]:
    """Delete them; for each model how many went.

    A task that is watched is left for the next time, and so is one with a run that has still
    to end. The pauses between the batches leave room for others.
    """
    for model, rows in due(before):
        total = 0
        began = time.monotonic()
        while batch := list(rows.order_by("pk")[:_ROWS]):
            total += _delete(model, batch)
            rows = rows.filter(pk__gt=batch[-1].pk)
            pause(max(_BREATH, (time.monotonic() - began) * (1 / _SHARE - 1)))
            began = time.monotonic()
        yield model, total


def _delete(model: type[StreamTask], batch: list[StreamTask]) -> int:
    """The runs first: a row without its runs is found again, a run without its row is not."""
    runs = _runs(batch)
    left = store.discard(list(runs), events=_EVENTS)
    kept = {runs[run_id] for run_id in left}
    keys = [task.pk for task in batch if task.pk not in kept]
    alias = router.db_for_write(model)
    with transaction.atomic(using=alias):
        # Django's own deletion: it knows what refers to the rows, and sends its signals.
        model._base_manager.using(alias).filter(pk__in=keys).delete()
    return len(keys)


def _runs(batch: list[StreamTask]) -> dict[UUID, Any]:
    """Of each of their runs, those of earlier starts as well: the key of the row."""
    found = {task.run_id: task.pk for task in batch if task.run_id is not None}
    ranges = {task.pk: keys_of_runs(task) for task in batch}
    return found | {run_id: pk for pk, run_id in store.runs_by_key(ranges)}
