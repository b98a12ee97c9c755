"""A task that is done, and one that can be watched, sent to and ended."""

import asyncio
import os
from typing import Any

from tasks import Context, task
from tests.chaos.service.marks import left


@task
async def anything(*args: Any, **kwargs: Any) -> int:
    return len(args) + len(kwargs)


@task(takes_context=True)
async def linger(context: Context, *args: Any, **kwargs: Any) -> None:
    """Emits until there is a mark at the path that the server was started with."""
    while not left(os.environ["OVER"]):
        await context.emit("tick")
        await asyncio.sleep(0.5)  # the pace; it is another process's event
