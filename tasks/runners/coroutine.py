"""Async functions and async generators, on the event loop."""

import inspect
from contextlib import aclosing
from typing import Any, cast

from tasks.context import Context
from tasks.events import OUTPUT
from tasks.runners.contract import Call, current_call

__all__ = ["run_coroutine"]


async def run_coroutine(call: Call) -> Any:
    """Await the function; of a generator, emit each value as the data of an ``output`` event."""
    current_call.set(call)
    call.begin()
    if not inspect.isasyncgenfunction(call.function):
        return await call.function(*call.args, **call.kwargs)
    context = cast(Context, call.context)
    async with aclosing(call.function(*call.args, **call.kwargs)) as values:
        async for value in values:
            await context.emit(OUTPUT, value)
    return None
