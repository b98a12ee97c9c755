"""Letting the event loop do what it can do without waiting for time."""

import asyncio

__all__ = ["lasting", "settle"]


async def settle(turns: int = 30) -> None:
    """Let everything that is ready run, and what it makes ready, *turns* times."""
    for _ in range(turns):
        await asyncio.sleep(0)  # a turn of the loop, no time


def lasting() -> set["asyncio.Task[object]"]:
    """All tasks but those of the layer's client, which makes one for a command it sends."""
    return {task for task in asyncio.all_tasks() if not _is_a_command(task)}


def _is_a_command(task: "asyncio.Task[object]") -> bool:
    return getattr(task.get_coro(), "__qualname__", "").startswith("AbstractConnection.")
