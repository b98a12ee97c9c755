"""The ASGI applications that are open right now: one for each request and WebSocket."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from consumers.asgi import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Applications"]

Tasks = Collection["asyncio.Task[Any]"]


class Applications:
    """ASGI middleware that knows what is open, so that a stop can wait for it."""

    def __init__(self) -> None:
        self._open: set[asyncio.Task[Any]] = set()
        self._unanswered: set[asyncio.Task[Any]] = set()

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        if scope["type"] == "http":
            self._unanswered.add(task)

        async def noting(message: Message) -> None:
            # The response begins: from here on it may well be a stream without an end.
            self._unanswered.discard(task)
            await send(message)

        try:
            await app(scope, receive, noting if scope["type"] == "http" else send)
        finally:
            self._open.discard(task)
            self._unanswered.discard(task)

    @property
    def unanswered(self) -> Tasks:
        """Requests whose response has not begun."""
        return frozenset(self._unanswered)

    async def end(self, patience: float, mercy: float) -> int:
        """Wait *patience* seconds for all to end, then cancel them and wait *mercy* seconds.

        How many had to be cancelled.
        """
        left = await _ended(self._open, patience)
        await cancel(left, mercy)
        return len(left)


async def cancel(tasks: Tasks, patience: float) -> None:
    for task in tasks:
        task.cancel()
    await _ended(tasks, patience)


async def _ended(tasks: Tasks, patience: float) -> Tasks:
    """Wait for *tasks*; those that are still running after *patience* seconds."""
    if not tasks:
        return ()
    _, left = await asyncio.wait(frozenset(tasks), timeout=max(patience, 0.0))
    return left


async def cancel_everything_else(patience: float) -> None:
    """Cancel every other task of the loop.

    Django 5.2 leaves the task of a streaming response behind when its request is
    cancelled, and Python 3.11 crashes at exit if its generator was never finished.
    """
    me = asyncio.current_task()
    with suppress(RuntimeError):
        await cancel({task for task in asyncio.all_tasks() if task is not me}, patience)
