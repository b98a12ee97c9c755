"""Carrying what there is for a client to it, while listening to it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Protocol, TypeVar

from consumers.feeds.follower import Signal

__all__ = ["Source", "pump"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Source(Protocol[T_co]):
    """A watcher, or a bundle of them."""

    def __aiter__(self) -> "Source[T_co]": ...

    async def __anext__(self) -> T_co: ...

    def close(self) -> None:
        """End the iteration, and release everything. Safe to call twice."""


async def pump(
    source: Source[T],
    write: Callable[[T], Awaitable[None]],
    listen: Coroutine[None, None, None],
) -> Signal | None:
    """Write what the source has until it ends, or until *listen* does.

    send() does not tell that a client has gone, at least daphne's does not: *listen*
    must, by returning. What it raises is raised here. Returns the source's last item
    if that was a signal, and None if the client has gone.
    """
    item: T | None = None
    listening = asyncio.create_task(listen, name="listen to a client")
    listening.add_done_callback(lambda _: source.close())
    try:
        async for item in source:
            await write(item)
        if listening.done():
            listening.result()
            return None
    finally:
        source.close()
        listening.cancel()
    # A client may go after a long silence, of which the last item is a heartbeat.
    return item if isinstance(item, Signal) and item is not Signal.HEARTBEAT else None
