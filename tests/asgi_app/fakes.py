"""A supervisor, and the server's side of a connection, that do what a test tells them."""

import asyncio
from contextlib import suppress
from contextvars import Context, copy_context
from typing import Any

from asgi_app.lifecycle import Parts
from consumers.asgi import ASGIApp, Message, Scope

__all__ = ["Connection", "FakeSupervisor"]


class FakeSupervisor:
    """Ready when told, ends when drained unless told to be stubborn."""

    def __init__(self, *, ready: bool = True, stubborn: bool = False) -> None:
        self.ready = asyncio.Event()
        self.drains = 0
        self.closed = 0
        self.served: list[Context] = []
        self._ready = ready
        self._stubborn = stubborn
        self._over = asyncio.Event()
        self._error: Exception | None = None

    def parts(self) -> Parts:
        return Parts(self, (self.ready,), self.close)

    async def serve(self) -> None:
        self.served.append(copy_context())
        if self._ready:
            self.ready.set()
        await self._over.wait()
        if self._error is not None:
            raise self._error

    def drain(self) -> None:
        self.drains += 1
        if not self._stubborn or self.drains > 1:
            self.end()

    def close(self) -> None:
        self.closed += 1

    def end(self, error: Exception | None = None) -> None:
        self._error = error
        self._over.set()


class Connection:
    """An application that is served one scope."""

    def __init__(self, app: ASGIApp, scope: Scope) -> None:
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self._task = asyncio.ensure_future(app(dict(scope), self._to_app.get, self._from_app.put))

    def send(self, message: Message) -> None:
        self._to_app.put_nowait(message)

    async def receive(self) -> Any:
        """The next message; the application's exception if it fails instead."""
        if not self._from_app.empty():
            return self._from_app.get_nowait()
        getting = asyncio.ensure_future(self._from_app.get())
        await asyncio.wait({getting, self._task}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        if not getting.done() and self._task.done():
            self._task.result()
        getting.cancel()
        return getting.result()

    async def stays_silent(self) -> None:
        """Nothing is sent in the loop's next turns."""
        for _ in range(10):
            await asyncio.sleep(0)  # a turn of the loop
        assert self._from_app.empty()
        assert not self._task.done()

    async def ended(self) -> None:
        await asyncio.wait_for(asyncio.shield(self._task), 10)

    async def stop(self) -> None:
        self._task.cancel()
        with suppress(BaseException):
            await self._task
