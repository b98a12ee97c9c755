"""Iterating in a thread over what may block."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar, cast

from django.db import connections

__all__ = ["in_own_thread"]

T = TypeVar("T")

_END = object()


async def in_own_thread(values: Iterable[T]) -> AsyncGenerator[T, None]:
    """The values, each made in one and the same thread, which is nobody else's.

    Not the run's own: what blocks there for long would block the run that has it next. It
    sees the caller's context variables, and has database connections of its own.
    """
    executor = ThreadPoolExecutor(1, thread_name_prefix="headway-generator")
    context = copy_context()
    loop = asyncio.get_running_loop()
    iterator = iter(values)
    try:
        while True:
            step = partial(context.run, partial(next, iterator, _END))
            value = await loop.run_in_executor(executor, step)
            if value is _END:
                return
            yield cast(T, value)
    finally:
        # After the step that is under way, if we were cancelled: nobody waits for it.
        executor.submit(context.run, _leave, iterator)
        executor.shutdown(wait=False)


def _leave(iterator: Any) -> None:
    try:
        if hasattr(iterator, "close"):
            iterator.close()
    finally:
        connections.close_all()
