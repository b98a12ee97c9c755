"""What hundreds of open streams cost a process, and that nothing stays of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.chaos.service.client import State, enqueue_many, state, usual
from tests.live import LiveServer
from tests.processes import Usage
from tests.stacks import Serve, Show, Stack
from tests.watchers import StreamWatcher

pytestmark = pytest.mark.e2e

STREAMS = 300
RUNS = 10
MOST = 20  # threads, and connections to the database in use, stay below
AT_ONCE = 25  # connects under way; so many connections may be left in the database's pool


def session(server: LiveServer) -> dict[str, str]:
    """A logged-in user's cookie: the session and its user are looked up for every stream."""
    answer = httpx.get(f"{server.url}/suite/login/").raise_for_status()
    return {"Cookie": f"sessionid={answer.cookies['sessionid']}"}


async def in_groups(watchers: list[StreamWatcher], act: Callable[..., Awaitable[None]]) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(watcher: StreamWatcher) -> None:
        async with gate:
            await act(watcher)

    async with asyncio.TaskGroup() as group:
        for watcher in watchers:
            group.create_task(one(watcher))


async def back_to(server: LiveServer, before: State) -> State:
    """Wait until the process has no more than before; what it has if that never comes."""
    now = state(server)
    for _ in range(200):
        if now.tasks <= before.tasks and now.feeds == before.feeds and not now.watchers:
            break
        await asyncio.sleep(0.05)  # the server learns of 300 closed sockets one by one
        now = state(server)
    return now


async def settled(server: LiveServer) -> Usage:
    """What the process uses without threads that are about to end; what it has if they stay."""
    usage = server.usage()
    for _ in range(200):
        if usage.threads < MOST:
            break
        await asyncio.sleep(0.05)  # a request's threads outlive its answer, here of the question
        usage = server.usage()
    return usage


async def warm_up(watcher: StreamWatcher) -> None:
    """The first stream brings what stays: threads that read the log, and their connections."""
    watching = asyncio.create_task(watcher.connect_once())
    await watcher.reach(2)
    watching.cancel()
    await asyncio.wait([watching])


@asynccontextmanager
async def opened(watchers: list[StreamWatcher]) -> AsyncIterator[None]:
    """All of them, each with something read, until the context is left."""
    watching: list[asyncio.Task[object]] = []

    async def open_(watcher: StreamWatcher) -> None:
        watching.append(asyncio.create_task(watcher.connect_once()))
        await watcher.reach(1)

    try:
        await in_groups(watchers, open_)
        yield
    finally:
        for task in watching:
            task.cancel()
        await asyncio.wait(watching)


async def looked(server: LiveServer, stack: Stack, show: Show, when: str) -> None:
    usage, held = await settled(server), stack.connections(server.process.pid)
    show(
        f"{when}: {usage.threads} threads, {held} connections to the database,"
        f" {usage.files} files, {usage.rss >> 20} MB, {state(server)}"
    )
    assert usage.threads < MOST
    assert held < MOST + AT_ONCE


async def test_open_streams_hold_no_thread_and_no_connection(
    serve: Serve, stack: Stack, show: Show
) -> None:
    server = serve(authz=None).start()
    headers = session(server)
    # They outlast the test, and each says something every fifth of a second.
    runs = enqueue_many(server, "emit", *[(100_000, 0.2)] * RUNS)
    watchers = [
        StreamWatcher(server.port, runs[number % RUNS], headers=headers)
        for number in range(STREAMS)
    ]
    await warm_up(StreamWatcher(server.port, runs[0], headers=headers))
    before = await back_to(server, usual(server))
    await looked(server, stack, show, "before")
    async with opened(watchers):
        # All at once they are live, and get what happens from here on.
        await in_groups(watchers, lambda watcher: watcher.reach(watcher.cursor + 2))
        await looked(server, stack, show, f"with {STREAMS} streams")
        now = state(server)
    assert now.watchers == STREAMS
    assert now.feeds == RUNS
    after = await back_to(server, before)
    await looked(server, stack, show, "after")
    assert after.tasks <= before.tasks
    assert (after.feeds, after.watchers) == (0, 0)
