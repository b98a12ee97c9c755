"""Clients that connect and drop, at any moment and in any way: nothing stays of them."""

import asyncio
import random
import time

import pytest

from tests.asgi_app.readers import masked, request
from tests.chaos.service.client import State, enqueue_many, state
from tests.live import LiveServer
from tests.processes import Usage
from tests.stacks import Serve, Show

pytestmark = pytest.mark.e2e

AT_ONCE = 20
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
            pass
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


async def settled(server: LiveServer, limit: int) -> tuple[State, Usage]:
    """Wait until nobody is there and no task is left of them; what is there if that never comes."""
    deadline = time.monotonic() + 40
    while True:
        now, usage = state(server), server.usage()
        nobody = not any((now.feeds, now.bundles, now.groups, now.streams, now.watchers))
        if (nobody and now.tasks <= limit) or time.monotonic() > deadline:
            return now, usage
        await asyncio.sleep(0.1)  # it is another process's event


@pytest.mark.parametrize(
    "cycles",
    [
        pytest.param(300, id="short"),
        pytest.param(10_000, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(3000)]),
    ],
)
async def test_nothing_stays(serve: Serve, rng: random.Random, show: Show, cycles: int) -> None:
    server = serve().start()
    runs = enqueue_many(server, "emit", *[(100_000, 0.2)] * 5)
    idle, _ = await settled(server, 1_000)
    dropper = Dropper(server.port, runs, rng)
    await drop(dropper, WARM)
    before, used = await settled(server, idle.tasks)
    await drop(dropper, cycles)
    after, uses = await settled(server, idle.tasks)
    show(f"before: {before}, {used.files} files, {used.rss >> 10} KB")
    show(f"after {cycles} cycles: {after}, {uses.files} files, {uses.rss >> 10} KB")
    assert after[2:] == (0, 0, 0, 0, 0)
    assert after.tasks <= before.tasks
    assert uses.files <= used.files + FILES
    assert uses.rss <= used.rss + ROOM
