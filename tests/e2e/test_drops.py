"""Clients that connect and drop, at any moment and in any way: nothing stays of them."""

import asyncio
import os
import random
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.asgi_app.readers import masked, request
from tests.chaos.service.client import State, enqueue_many, usual
from tests.live import LiveServer
from tests.stacks import Serve, Show

pytestmark = pytest.mark.e2e

AT_ONCE = 8  # more, on a loaded machine, and the port itself is full
WARM = 200  # cycles, after which the process is as large as it will be
ROOM = 12 << 20  # bytes; of 10,000 cycles each would have to leave a kilobyte
FILES = 5  # connections to the database and to the layer that may come and go


class Dropper:
    """Connects, asks for a stream of one kind, and goes."""

    def __init__(self, port: int, runs: list[str], rng: random.Random) -> None:
        self._port = port
        self._runs = runs
        self._rng = rng

    def _asked(self) -> list[bytes]:
        run_id, other = self._rng.sample(self._runs, 2)
        query = self._rng.choice(["", "?after=latest", "?after=1"])
        match self._rng.randrange(4):
            case 0:
                return [request(f"/tasks/{run_id}/events/{query}")]
            case 1:
                return [request(f"/tasks/events/?run={run_id}&run={other}")]
            case 2:
                return [request(f"/ws/tasks/{run_id}/{query}", websocket=True)]
            case _:
                subscribe = b'{"op":"subscribe","run":"%s","after":"latest"}'
                frames = [masked(subscribe % each.encode()) for each in (run_id, other)]
                return [request("/ws/tasks/", websocket=True), *frames]

    async def cycle(self) -> None:
        rng = self._rng
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            for piece in self._asked():
                # A part of it, at times.
                writer.write(piece[: rng.randrange(len(piece))] if rng.random() < 0.1 else piece)
                await self._listen(reader)
            if rng.random() < 0.3:
                writer.write(masked(b"\x03\xe8", 0x88))  # a close frame, where it makes sense
                await self._listen(reader)
        except ConnectionError:
            pass  # as it may be, of who has said what makes no sense
        finally:
            if rng.random() < 0.5:
                writer.transport.abort()
            else:
                writer.close()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """For a moment that chance chooses, or until something comes."""
        try:
            async with asyncio.timeout(self._rng.choice([0.0, 0.001, 0.02, 0.1, 0.5])):
                await reader.read(self._rng.choice([1, 100, 65_536]))
        except TimeoutError:
            pass


async def drop(dropper: Dropper, times: int) -> None:
    async def some() -> None:
        for _ in range(times // AT_ONCE):
            await dropper.cycle()

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(some())


class Size(NamedTuple):
    state: State
    files: int
    rss: int  # bytes


def files(pid: int) -> int:
    """But for the database of SQLite: what a closed connection had open there waits for the next
    one while others have locks, so there are as many as there ever were connections at once.
    """
    found = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found += not os.readlink(entry).endswith("db.sqlite3")
    return found


async def settled(server: LiveServer, limit: int) -> Size:
    """Wait until nobody is there and no task is left of them; what is there if that never comes."""
    deadline = time.monotonic() + 40
    while True:
        now = usual(server)
        nobody = not any((now.feeds, now.bundles, now.groups, now.streams, now.watchers))
        if (nobody and now.tasks <= limit) or time.monotonic() > deadline:
            return Size(now, files(server.process.pid), server.usage().rss)
        await asyncio.sleep(0.1)  # it is another process's event


@pytest.mark.parametrize(
    "cycles",
    [
        pytest.param(300, id="short", marks=pytest.mark.timeout(180)),
        pytest.param(10_000, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(3000)]),
    ],
)
async def test_nothing_stays(serve: Serve, rng: random.Random, show: Show, cycles: int) -> None:
    server = serve().start()
    runs = enqueue_many(server, "emit", *[(100_000, 0.2)] * 5)
    idle = (await settled(server, 1_000)).state.tasks
    dropper = Dropper(server.port, runs, rng)
    await drop(dropper, WARM)
    before = await settled(server, idle)
    sizes = []
    for _ in range(10):
        await drop(dropper, cycles // 10)
        sizes.append(server.usage().rss >> 20)
    after = await settled(server, before.state.tasks)
    show(f"before: {before}")
    show(f"meanwhile: {sizes} MB")
    show(f"after {cycles} cycles: {after}")
    assert after.state[2:] == (0, 0, 0, 0, 0)
    assert after.state.tasks <= before.state.tasks
    assert after.files <= before.files + FILES
    assert after.rss <= before.rss + ROOM
