"""The ASGI applications that are open right now: one for each request and WebSocket."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from consumers.asgi import ASGIApp, Message, Receive, Scope, Send
from consumers.wire import CloseCode

__all__ = ["Applications", "cancel_everything_else"]

Tasks = Collection["asyncio.Task[Any]"]


class Applications:
    """ASGI middleware that knows what is open, so that a stop can end it."""

    def __init__(self) -> None:
        self._open: set[_Exchange] = set()

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = _Exchange(scope["type"], receive, send)
        self._open.add(exchange)
        try:
            running = app(scope, exchange.receive, exchange.send)
            del scope, receive, send  # they would live for as long as this frame does
            await running
        finally:
            self._open.discard(exchange)

    @property
    def unanswered(self) -> Tasks:
        """Requests whose response has not begun."""
        return {exchange.task for exchange in self._open if exchange.is_unanswered}

    async def end(self, patience: float, mercy: float) -> int:
        """Wait *patience* seconds for all to end; then hang up on the rest, and at last cancel.

        Each step has *mercy* seconds to have its effect. How many were hung up on.
        """
        await _ended(self._tasks(), patience)
        left = frozenset(self._open)
        # At the same time, since a client that reads nothing may hold its farewell up.
        await _ended({asyncio.create_task(exchange.hang_up()) for exchange in left}, mercy)
        await _ended(self._tasks(), mercy)
        await _cancel(self._tasks(), mercy)
        return len(left)

    def _tasks(self) -> Tasks:
        return {exchange.task for exchange in self._open}


class _Exchange:
    """One request or WebSocket, and the task of its application."""

    def __init__(self, type_: str, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.task = task
        self.is_unanswered = type_ == "http"
        self._type = type_
        self._receive = receive
        self._send = send
        self._receiver: asyncio.Task[Any] | None = None
        self._hung_up = False
        self._accepted = False

    async def send(self, message: Message) -> None:
        # A response has begun, which may well be a stream without an end.
        self.is_unanswered = False
        if self._type == "websocket" and self._hung_up:
            return  # it has been closed
        self._accepted |= message["type"] == "websocket.accept"
        await self._send(message)

    async def receive(self) -> Message:
        self._receiver = asyncio.current_task()
        try:
            return self._goodbye() if self._hung_up else await self._receive()
        except asyncio.CancelledError:
            # By hang_up() and by nobody else: then this is what it stands for.
            if not self._hung_up or self._receiver is None or self._receiver.uncancel():
                raise
            return self._goodbye()
        finally:
            self._receiver = None

    async def hang_up(self) -> None:
        """Tell the application that its client has gone, so that it ends with all its clean-up.

        Cancelled, a Channels consumer would not see its ``disconnect``, and Django 5.2
        would leave the task of a streaming response behind.
        """
        self._hung_up = True
        if self._receiver is not None:
            self._receiver.cancel()
        if self._type == "websocket":
            with suppress(Exception):  # the server may have closed it already
                if not self._accepted:
                    # Closed in the middle of its handshake it would look like a refusal.
                    await self._send({"type": "websocket.accept"})
                await self._send({"type": "websocket.close", "code": int(CloseCode.GOING_AWAY)})

    def _goodbye(self) -> Message:
        if self._type == "websocket":
            return {"type": "websocket.disconnect", "code": int(CloseCode.GOING_AWAY)}
        return {"type": "http.disconnect"}


async def cancel_everything_else(patience: float) -> None:
    """Cancel every other task of the loop: whatever no one waits for."""
    me = asyncio.current_task()
    await _cancel({task for task in asyncio.all_tasks() if task is not me}, patience)


async def _cancel(tasks: Tasks, patience: float) -> None:
    for task in tasks:
        task.cancel()
    await _ended(tasks, patience)


async def _ended(tasks: Tasks, patience: float) -> None:
    """Wait until *tasks* have ended, *patience* seconds at most."""
    if tasks:
        await asyncio.wait(tasks, timeout=max(patience, 0.0))
