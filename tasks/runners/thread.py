"""Sync functions and sync generators, each in a worker thread."""

import inspect
from typing import Any, cast

import anyio
import anyio.to_thread
from django.db import close_old_connections

from tasks.context import SyncContext
from tasks.events import OUTPUT
from tasks.exceptions import RunCancelled
from tasks.runners.contract import Call
from tasks.surroundings.circumstances import carried, restore

__all__ = ["call_sync", "run_in_thread"]

# The supervisor bounds how many runs there are; a thread that outlives its run (it cannot
# be killed) must not take the place of one that is to come.
_unbounded = anyio.CapacityLimiter(float("inf"))


async def run_in_thread(call: Call) -> Any:
    """Call the function in a thread; of a generator, emit each value as an ``output`` event.

    A thread cannot be ended: when the attempt is cancelled the function finds
    ``context.cancel_requested`` set, and whatever it does from then on counts for nothing.
    """
    call.begin()
    return await anyio.to_thread.run_sync(
        call_sync, call, abandon_on_cancel=True, limiter=_unbounded
    )


def call_sync(call: Call) -> Any:
    """Call the function in the calling thread; of a generator, emit each value."""
    # Threads are used again: a connection that went bad meanwhile must not be.
    close_old_connections()
    restore(carried())
    try:
        if inspect.isgeneratorfunction(call.function):
            return _exhaust(call)
        return call.function(*call.args, **call.kwargs)
    finally:
        close_old_connections()


def _exhaust(call: Call) -> Any:
    context = cast(SyncContext, call.context)
    values = call.function(*call.args, **call.kwargs)
    while True:
        try:
            value = next(values)
        except StopIteration as end:
            return end.value
        context.emit(OUTPUT, value)
        if context.cancel_requested:
            values.close()
            raise RunCancelled
