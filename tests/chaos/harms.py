"""What is done to a server while it works. Afterwards there is one in its place."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.live import LiveServer
from tests.stacks import Stack

__all__ = ["Harm", "freeze", "kill", "oversleep", "terminate"]

Harm = Callable[[LiveServer, Stack, float], Awaitable[None]]


async def kill(server: LiveServer, stack: Stack, lease: float) -> None:
    """SIGKILL, in the middle of whatever it does."""
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)


async def terminate(server: LiveServer, stack: Stack, lease: float) -> None:
    """SIGTERM, and the next one when it has stopped in order."""
    server.terminate()
    assert await asyncio.to_thread(server.wait) == 0, server.output
    await asyncio.to_thread(server.start)


async def oversleep(server: LiveServer, stack: Stack, lease: float) -> None:
    """SIGSTOP for longer than its leases last, then SIGCONT."""
    await freeze(server, stack)
    await asyncio.sleep(lease * 1.2)  # nothing happens in a frozen process
    server.thaw()


async def freeze(server: LiveServer, stack: Stack) -> None:
    """SIGSTOP, outside of its transactions: one that sleeps in one keeps others waiting."""
    server.freeze()
    while not stack.writable():
        server.thaw()
        await asyncio.sleep(0.01)  # for it to come out
        server.freeze()
