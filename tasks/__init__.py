"""Headway: background tasks for Django that people can watch live.

What an author of tasks touches::

    from tasks import task

    @task(takes_context=True)
    async def count(context, to):
        async for n in context.track(range(to)):
            ...

    handle = await count.aenqueue(100)

The public names live here; ``tasks.engine`` executes, ``tasks.runners`` holds one file
per way to execute. Importing this package imports no model, so that a module named
``tasks`` may be imported before the app registry is ready.
"""

from tasks.command import Command
from tasks.context import Context, SyncContext
from tasks.registry import (
    aenqueue,
    aenqueue_on_commit,
    aget_handle,
    enqueue,
    enqueue_on_commit,
    get_handle,
)
from tasks.task import Task, task

#: The handle of a run, by its id.
get, aget = get_handle, aget_handle

__all__ = [
    "Command",
    "Context",
    "SyncContext",
    "Task",
    "aenqueue",
    "aenqueue_on_commit",
    "aget",
    "aget_handle",
    "enqueue",
    "enqueue_on_commit",
    "get",
    "get_handle",
    "task",
]
