"""Helpers for tests that look at runs."""

import asyncio
from collections.abc import Awaitable, Callable

from asgiref.sync import sync_to_async

from tasks.engine import store
from tasks.engine.store import Claim, Slot
from tasks.handles import Handle
from tasks.models import TaskEvent, TaskRun

__all__ = ["claim_one", "kinds", "log", "row", "started", "until"]


def claim_one(worker: str = "w1", lease: float = 60) -> Claim:
    (claim,) = store.claim(worker, lease, Slot(1))
    return claim


async def row(handle: Handle) -> TaskRun:
    return await sync_to_async(store.fetch_run)(handle.run_id)


async def log(handle: Handle) -> list[tuple[int, str]]:
    events = TaskEvent.objects.filter(run=handle.run_id).order_by("seq")
    return [(event.seq, event.type) async for event in events]


async def kinds(handle: Handle) -> list[str]:
    return [type_ for _, type_ in await log(handle)]


async def until(holds: Callable[[], Awaitable[bool]], patience: float = 20) -> None:
    """Look until it holds. For what another process or thread writes, and nobody signals here."""
    async with asyncio.timeout(patience):
        while not await holds():  # noqa: ASYNC110 - it is another process's event
            await asyncio.sleep(0.005)  # the pause between two looks


async def started(handle: Handle) -> None:
    async def is_started() -> bool:
        await handle.arefresh()
        return handle.status != "READY"

    await until(is_started)
