"""Replay joins live without a seam: many watchers of a run that the engine executes."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import closing

import pytest
from asgiref.sync import sync_to_async

from consumers.feeds.chunk import Chunk
from consumers.feeds.hub import Hub, get_hub
from tasks.engine import store
from tasks.engine.process.children import Child
from tasks.testing import running_supervisor

from ..calls import chatter, enough
from ..fakes import seqs

WATCHERS = 200


@pytest.fixture
async def running(transactional_db: None) -> AsyncIterator[Hub]:
    """The engine with the hub as its child, as a process has them."""
    get_hub.cache_clear()
    hub = get_hub()
    async with running_supervisor(children=[Child("hub", hub.serve)], on_drained=hub.close):
        await hub.ready.wait()
        yield hub
    get_hub.cache_clear()


async def test_200_watchers_join_a_run_at_full_speed(running: Hub) -> None:
    chance = random.Random(1)
    enough.clear()
    handle = await chatter.aenqueue()
    joined: list[int] = []

    async def watch(moment: float) -> list[int]:
        await asyncio.sleep(moment)  # a random moment of the run is what this is about
        run = await sync_to_async(store.fetch_run)(handle.run_id)
        got: list[int] = []
        with closing(running.watch(run, 0)) as watcher:
            joined.append(run.last_seq)
            if len(joined) == WATCHERS:
                enough.set()
            async for item in watcher:
                if isinstance(item, Chunk):
                    got += seqs(item.first, item.last)
        return got

    async with asyncio.timeout(50), asyncio.TaskGroup() as group:
        watching = [group.create_task(watch(chance.uniform(0, 1.5))) for _ in range(WATCHERS)]
    await handle.arefresh()
    # queued, started, the words, finished
    whole = seqs(1, handle.return_value + 3)
    assert [task.result() == whole for task in watching] == [True] * WATCHERS
    assert running.watched == 0
    # They did join everywhere: at the beginning, in the middle, near the end.
    assert min(joined) < len(whole) / 10
    assert len(set(joined)) > WATCHERS / 10
    assert max(joined) > len(whole) / 2
