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
from tasks.registry import aenqueue, enqueue, get_handle
from tasks.task import Task, task

__all__ = ["Command", "Context", "SyncContext", "Task", "aenqueue", "enqueue", "get_handle", "task"]
