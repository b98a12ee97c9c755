"""Headway: background tasks for Django that people can watch live.

What an author of tasks touches::

    from tasks import task

    @task(takes_context=True)
    async def count(context, to):
        async for n in context.track(range(to)):
            ...

    handle = await count.aenqueue(100)

The public names live here, and beside them what else an author touches: ``models``,
``coordinator``, ``exceptions``, ``logs`` and so on. The rest stands in rooms, from the top down::

    cli, management  ways in from a terminal
    testing          what projects test with
    agents           language models that work as tasks
    streaming        what the coordinator stands on: rows that are tasks
    pipelines        stages, one after another or as a graph
    specs            calls that are written down
    runners          one file per way to execute
    handles          what a caller has of a run, from its enqueueing on
    engine           what executes runs
    surroundings     what a run and its process find around themselves
    definition       what a task is once it is declared
    settings         what each setting may be

Importing this package imports no model, so that a module named ``tasks`` may be imported
before the app registry is ready.
"""

from tasks.command import Command
from tasks.context import Context, SyncContext
from tasks.shortcuts import aenqueue, aget_handle, enqueue, get_handle
from tasks.task import Task, task

#: The handle of a run, by its id.
get, aget = get_handle, aget_handle

__all__ = [
    "Command",
    "Context",
    "SyncContext",
    "Task",
    "aenqueue",
    "aget",
    "aget_handle",
    "enqueue",
    "get",
    "get_handle",
    "task",
]
