"""Carrying a watcher's items to a client while listening to the client."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine

from consumers.chunk import Chunk
from consumers.watcher import Signal, Watcher

__all__ = ["pump"]


async def pump(
    watcher: Watcher,
    write: Callable[[Chunk | Signal], Awaitable[None]],
    listen: Coroutine[None, None, None],
    put: Callable[[Chunk], bool] | None = None,
) -> Signal | None:
    """Write what the watcher has until it ends, or until *listen* does.

    send() does not tell that a client has gone, at least daphne's does not: *listen*
    must, by returning. What it raises is raised here. Returns the watcher's last item
    if that was a signal. *put*, where there is one, writes without waiting.
    """
    item: Chunk | Signal | None = None
    watcher.put = put
    listening = asyncio.create_task(listen, name="listen to a client")
    listening.add_done_callback(lambda _: watcher.close())
    try:
        async for item in watcher:
            await write(item)
        if listening.done():
            listening.result()
    finally:
        watcher.close()
        listening.cancel()
    return item if isinstance(item, Signal) else None
