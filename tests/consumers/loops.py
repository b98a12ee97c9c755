"""Letting the event loop do what it can do without waiting for time."""

import asyncio

__all__ = ["settle"]


async def settle(turns: int = 30) -> None:
    """Let everything that is ready run, and what it makes ready, *turns* times."""
    for _ in range(turns):
        await asyncio.sleep(0)  # a turn of the loop, no time
