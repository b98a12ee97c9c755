"""The task that executes StreamTasks: one run of it is one execution of one row."""

from typing import Any
from uuid import UUID

import anyio
from asgiref.sync import sync_to_async

from tasks import Context, task
from tasks.codec import encode
from tasks.compat import task_backends
from tasks.definition.backends import default_alias
from tasks.engine import store
from tasks.engine.attempts.attempt import Cause
from tasks.exceptions import HeadwayError
from tasks.stream_task import StreamTask
from tasks.streaming.here import present
from tasks.streaming.keys import key_of_run
from tasks.streaming.lookup import find_model, run_of

__all__ = ["run_stream_task"]


def _queue() -> str:
    """``default``, or where the project has no queue of that name, the first that it has."""
    queues = task_backends[default_alias()].queues
    return "default" if not queues or "default" in queues else min(queues)


@task(takes_context=True, queue_name=_queue())
async def run_stream_task(context: Context, app_label: str, model_name: str, pk: Any) -> Any:
    """Call ``process()`` of the row, and complete it with what that returns."""
    instance = await sync_to_async(_taken)(context.run_id, app_label, model_name, pk)
    if instance.completed_at is not None:
        # An earlier attempt died between its completion and its end.
        return instance.final_value
    instance._context = context
    try:
        with present(instance):
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
        store.give_key(run_id, key_of_run(instance, run_id))
        instance.run_id = run_id
    return instance
