"""Tasks that clients enqueue by name."""

import asyncio
from typing import Any

from tasks import task

__all__ = ["chatter", "enough", "greet", "tell"]

#: Ends :func:`chatter`.
enough = asyncio.Event()


@task
async def greet(name: str, times: int = 1) -> str:
    return " ".join(["hello", name] * times)


@task(name="tell-a-story", takes_context=True)
async def tell(context: Any, self: str = "me", words: int = 3) -> int:
    """Has an argument that a method's call could not pass."""
    for number in range(words):
        await context.emit("word", {"n": number, "of": self})
    return words


@task(takes_context=True)
async def chatter(context: Any) -> int:
    """Emits as fast as it can until it is enough; returns how often."""
    count = 0
    while not enough.is_set():
        count += 1
        await context.emit("word", count)
        await asyncio.sleep(0)  # emit() waits only for room, and others live here too
    return count
