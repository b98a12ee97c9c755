"""Lists of runs from real servers: in the end they show every run as it is."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests import streams
from tests.chaos.service.client import enqueue, enqueue_many
from tests.ledger import Ledger
from tests.listing import Listing
from tests.live import LiveServer
from tests.stacks import Serve, Show

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

ALL = "/tasks/feed/?limit=500"
PAUSE = 0.1  # seconds between two tries of a client
# Pieces of news in a connection. What is lost before a list is whole comes again: a client
# that hears of fewer runs at a time than there are may never get past the first ones.
MOST = 200
LOST = (OSError, ConnectionClosed, InvalidHandshake, EOFError)


class Client:
    """Shows a list for as long as it lives; now and then it drops its connection itself."""

    def __init__(self, servers: list[LiveServer], rng: random.Random) -> None:
        self.listing = Listing()
        self.connections = 0
        self.resumed: list[bool] = []  # of each connection
        self.moved = asyncio.Event()
        self._servers = servers
        self._rng = rng

    async def live(self) -> None:
        while True:
            with suppress(*LOST):
                await self._connect(
                    self._rng.choice(self._servers),
                    self._rng.choice([self._rng.randint(1, 10), MOST]),
                )
            self.listing.cut()
            await asyncio.sleep(PAUSE)  # as clients do, between two tries

    async def reach(self, statuses: dict[str, str]) -> None:
        while self.listing.statuses != statuses:
            self.moved.clear()
            await self.moved.wait()

    def _connected(self, resumed: bool) -> None:
        self.connections += 1
        self.resumed.append(resumed)

    async def _connect(self, server: LiveServer, chunks: int) -> None:
        """Read so many pieces of news, or until the connection is lost."""
        raise NotImplementedError


class StreamClient(Client):
    async def _connect(self, server: LiveServer, chunks: int) -> None:
        after = {"Last-Event-ID": self.listing.after} if self.listing.after else {}
        async with streams.get(server.port, ALL, after) as response:
            assert response.status in (200, 503), response.status
            if response.status == 503:
                return
            self._connected(bool(after))
            async for chunk in response.chunks():
                self.listing.take(chunk.decode())
                self.moved.set()
                if not (chunks := chunks - 1):
                    return


class SocketClient(Client):
    async def _connect(self, server: LiveServer, chunks: int) -> None:
        # With a full queue the client would not read the server's close frame either.
        async with connect(
            f"{server.ws_url}/ws/tasks/", proxy=None, compression=None, max_queue=None
        ) as ws:
            after: dict[str, Any] = {"after": self.listing.after} if self.listing.after else {}
            self._connected(bool(after))
            await ws.send(json.dumps({"op": "list", "limit": 500, **after}))
            assert json.loads(await ws.recv())["ok"]
            while chunks := chunks - 1:
                said = json.loads(await ws.recv())
                if said.get("op") == "listed":
                    self.listing.place(said["after"])
                elif said.get("op") == "unlist":
                    return
                else:
                    self.listing.hear(said.get("op") or said["type"], said)
                self.moved.set()


@asynccontextmanager
async def living(clients: list[Client]) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(client.live()) for client in clients]
        yield
        for task in tasks:
            task.cancel()


def stop(server: LiveServer, run_id: str) -> None:
    httpx.post(f"{server.url}/tasks/{run_id}/stop/", timeout=30)


async def test_random_runs_and_a_process_that_dies(
    serve: Serve, ledger: Ledger, rng: random.Random, show: Show
) -> None:
    one, two = (serve(lease=2, grace=0.5, concurrency=8).start() for _ in range(2))
    kinds = [StreamClient, SocketClient] * 3
    clients: list[Client] = [kind([one, two], random.Random(rng.random())) for kind in kinds]
    ids: list[str] = []
    async with living(clients):
        for round_ in range(12):
            server = one if round_ >= 8 else rng.choice([one, two])
            calls = [(rng.randint(0, 6), rng.choice([0.0, 0.05])) for _ in range(5)]
            ids += await asyncio.to_thread(enqueue_many, server, "emit", *calls)
            await asyncio.to_thread(stop, server, rng.choice(ids[-5:]))
            if round_ == 7:
                await asyncio.to_thread(two.kill)
        await asyncio.to_thread(two.restart)
        await ledger.until(lambda: set(ledger.statuses()) <= {"SUCCESSFUL", "CANCELLED"})
        expected = {run_id: ledger.run(run_id).status for run_id in ids}
        async with asyncio.timeout(60):
            for client in clients:
                await client.reach(expected)
    for client in clients:
        begun = client.listing.begun  # a connection may be lost before it is told
        assert sum(begun) <= client.resumed.count(False)
        assert begun[0]
    show(f"{len(ids)} runs, {sum(client.connections for client in clients)} connections")


async def test_news_come_by_the_layer(serve: Serve, rng: random.Random) -> None:
    """Of nothing but news: the database would be looked at in ten minutes."""
    server = serve(reconcile=600).start()
    client = StreamClient([server], random.Random(0))
    async with living([client]):
        while not client.connections or "SUCCESSFUL" not in client.listing.statuses.values():
            # Whoever executes hears a moment later that there is a list.
            await asyncio.to_thread(enqueue, server, "emit", 1)
        async with asyncio.timeout(60):
            await asyncio.to_thread(enqueue, server, "emit", 1)
            while set(client.listing.statuses.values()) != {"SUCCESSFUL"}:
                client.moved.clear()
                await client.moved.wait()


@pytest.mark.servers
async def test_news_come_from_another_process(serve: Serve, rng: random.Random) -> None:
    web = serve(role="web", reconcile=600).start()
    serve(server="worker").start()
    client = StreamClient([web], random.Random(0))
    async with living([client]):
        async with asyncio.timeout(60):
            while "SUCCESSFUL" not in client.listing.statuses.values():
                await asyncio.to_thread(enqueue, web, "emit", 1)
        assert client.listing.begun[0]
