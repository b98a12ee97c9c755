"""The task that executes StreamTasks: one run of it is one execution of one row."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import anyio
from asgiref.sync import sync_to_async

from tasks import Context, task
from tasks.codec import encode
from tasks.engine import store
from tasks.engine.attempt import Cause
from tasks.exceptions import HeadwayError, RunDoesNotExist
from tasks.models import TaskRun
from tasks.stream_models import find_model, key_of
from tasks.stream_task import StreamTask

__all__ = ["executed_here", "run_of", "run_stream_task"]

_here: dict[tuple[str, Any], StreamTask] = {}


def executed_here(model: type[StreamTask], pk: Any) -> StreamTask | None:
    """The instance whose ``process()`` this process is executing."""
    return _here.get((model._meta.label_lower, key_of(model, pk)))


def run_of(task: StreamTask) -> TaskRun | None:
    """Its newest run; None if it has had none, or that was deleted for its age."""
    try:
        return None if task.run_id is None else store.fetch_run(task.run_id)
    except RunDoesNotExist:
        return None


@task(takes_context=True)
async def run_stream_task(context: Context, app_label: str, model_name: str, pk: Any) -> Any:
    """Call ``process()`` of the row, and complete it with what that returns."""
    instance = await sync_to_async(_taken)(context.run_id, app_label, model_name, pk)
    if instance.completed_at is not None:
        # An earlier attempt died between its completion and its end.
        return instance.final_value
    instance._context = context
    try:
        with _present(instance):
            value = await instance.process()
            await _complete(instance, context, value)
    finally:
        instance._context = None
    return value


async def _complete(instance: StreamTask, context: Context, value: Any) -> None:
    """The row is completed before the run ends: who dies in between finds it so, and ends.

    The other way round, a row might be left that nobody would ever complete. A run that a
    stop, a kill or its timeout ends at this very moment takes the completion back.
    """
    encode(value)  # what JSON cannot hold is refused before anything is said
    # Commits what was sent, which fails where the run has become another process's.
    await context.flush()
    with anyio.CancelScope(shield=True):
        await instance.mark_completed(value)
        if context._attempt.cause in (Cause.STOP, Cause.KILL, Cause.TIMEOUT):
            await instance.mark_incomplete()


@contextmanager
def _present(instance: StreamTask) -> Iterator[None]:
    key = (instance._meta.label_lower, instance.pk)
    _here[key] = instance
    try:
        yield
    finally:
        if _here.get(key) is instance:  # and not that of the next attempt
            del _here[key]


def _taken(run_id: UUID, app_label: str, model_name: str, pk: Any) -> StreamTask:
    """The row, whose run is this one.

    It is another's if this run was not made by the coordinator, but with ``retry()`` or by
    hand: it then takes the other's place, unless that has still to end.
    """
    model = find_model(model_name, app_label)
    instance = model._base_manager.get(pk=pk)
    if instance.run_id != run_id:
        other = run_of(instance)
        place = model._base_manager.filter(pk=pk, run_id=instance.run_id)
        if (other is not None and not other.is_finished) or not place.update(run_id=run_id):
            raise HeadwayError(f"The {model_name} {pk} is executed by another run already.")
        instance.run_id = run_id
    return instance
