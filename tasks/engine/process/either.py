"""Waiting for the first of several things."""

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ["either"]


async def either(*waits: Coroutine[Any, Any, object]) -> None:
    """Await all of *waits* until one ends; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
