"""Waiting for news, at the price of a future."""

import asyncio

__all__ = ["Bell"]


class Bell:
    """Wakes the one who waits for it; rung while nobody does, it is not heard."""

    __slots__ = ("_waiter",)

    def __init__(self) -> None:
        self._waiter: asyncio.Future[None] | None = None

    def ring(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self) -> None:
        # One future for each who waits: cancelling a task cancels the future it waits for,
        # and one that all share would end them all.
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
