import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from asgi_app import application as module
from asgi_app.application import Headway
from asgi_app.lifecycle import Lifecycle
from asgi_app.process import Process
from consumers.asgi import Receive, Scope, Send
from tests.asgi_app.fakes import Connection, FakeSupervisor

pytestmark = pytest.mark.django_db(transaction=True)


async def inner(scope: Scope, receive: Receive, send: Send) -> None:
    """A project's application that knows HTTP only, as Django's does."""
    if scope["type"] != "http":
        raise ValueError(f"Only HTTP, not {scope['type']}.")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


class World:
    """A process that tests bring up by hand, and the application in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.supervisor = FakeSupervisor(ready=False)
        self.process = Process(Lifecycle(self.supervisor.parts))
        monkeypatch.setattr("asgi_app.process.this_process", lambda: self.process)
        self.open: list[Connection] = []

    def start(self) -> None:
        self.process.lifecycle.start(lambda: None)

    async def serve(self) -> None:
        self.start()
        self.supervisor.ready.set()
        await self.process.lifecycle.settled()

    def http(self, path: str = "/", app: Any = inner) -> Connection:
        return self.connect({"type": "http", "method": "GET", "path": path, "headers": []}, app)

    def websocket(self, path: str, app: Any = inner) -> Connection:
        connection = self.connect({"type": "websocket", "path": path, "headers": []}, app)
        connection.send({"type": "websocket.connect"})
        return connection

    def connect(self, scope: Scope, app: Any) -> Connection:
        self.open.append(Connection(Headway(app), scope))
        return self.open[-1]


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    world = World(monkeypatch)
    yield world
    world.supervisor.end()
    for connection in world.open:
        await connection.stop()


async def status(connection: Connection) -> int:
    start = await connection.receive()
    assert start["type"] == "http.response.start"
    return int(start["status"])


async def test_a_request_reaches_the_projects_application(world: World) -> None:
    await world.serve()
    request = world.http("/somewhere")

    assert await status(request) == 200
    assert (await request.receive())["body"] == b"/somewhere"


async def test_making_an_application_starts_nothing(world: World) -> None:
    request = world.http()

    assert await status(request) == 200
    assert world.supervisor.served == []


async def test_a_request_that_comes_first_waits(world: World) -> None:
    world.start()
    request = world.http()
    await request.stays_silent()

    world.supervisor.ready.set()

    assert await status(request) == 200


async def test_a_request_waits_for_so_long_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "START_PATIENCE", 0.01)
    world.start()

    assert await status(world.http()) == 503


async def test_a_request_gets_an_answer_when_the_start_fails(world: World) -> None:
    world.start()
    request = world.http()
    await request.stays_silent()

    world.supervisor.end(RuntimeError("no database"))

    start = await request.receive()
    assert start["status"] == 503
    assert (b"retry-after", b"5") in start["headers"]


async def test_a_websocket_is_told_to_come_again_when_the_start_fails(world: World) -> None:
    world.start()
    websocket = world.websocket("/ws/tasks/")
    await websocket.stays_silent()

    world.supervisor.end(RuntimeError("no database"))

    assert (await websocket.receive())["type"] == "websocket.accept"
    assert await websocket.receive() == {"type": "websocket.close", "code": 4012}


@pytest.mark.parametrize("path", ["/health/live", "/prefix/health/ready"])
async def test_health_is_told_while_others_wait(world: World, path: str) -> None:
    world.start()

    assert await status(world.http(path)) == 200


async def test_open_connections_are_answered_while_it_drains(world: World) -> None:
    await world.serve()
    world.process.lifecycle.drain()

    assert await status(world.http()) == 200


async def test_a_websocket_nobody_knows_is_refused(world: World) -> None:
    await world.serve()
    websocket = world.websocket("/elsewhere/")

    assert await websocket.receive() == {"type": "websocket.close"}
    await websocket.ended()


async def test_a_websocket_of_the_projects_own_is_served(world: World) -> None:
    async def chat(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        raise ValueError("of the project's own making")

    await world.serve()
    websocket = world.websocket("/chat/", chat)

    assert (await websocket.receive())["type"] == "websocket.accept"
    with pytest.raises(ValueError, match="own making"):
        await websocket.ended()


async def test_a_websocket_of_ours_does_not_reach_the_project(world: World) -> None:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("reached")

    await world.serve()
    websocket = world.websocket("/ws/tasks/nonsense/", fail)

    assert (await websocket.receive())["type"].startswith("websocket.")


async def test_a_worker_answers_for_its_health_only(world: World, settings: Any) -> None:
    settings.HEADWAY = {"ROLE": "worker"}
    await world.serve()

    assert await status(world.http("/tasks/")) == 404
    assert await status(world.http("/health/live")) == 200
    websocket = world.websocket("/ws/tasks/")
    assert await websocket.receive() == {"type": "websocket.close"}


async def test_lifespan_brings_it_up_and_down(world: World) -> None:
    lifespan = world.connect({"type": "lifespan"}, inner)
    lifespan.send({"type": "lifespan.startup"})
    await lifespan.stays_silent()

    world.supervisor.ready.set()
    assert await lifespan.receive() == {"type": "lifespan.startup.complete"}

    lifespan.send({"type": "lifespan.shutdown"})
    assert await lifespan.receive() == {"type": "lifespan.shutdown.complete"}
    assert world.supervisor.drains == 1


async def test_lifespan_tells_of_a_start_that_fails(world: World) -> None:
    lifespan = world.connect({"type": "lifespan"}, inner)
    lifespan.send({"type": "lifespan.startup"})
    await asyncio.sleep(0)  # a turn of the loop, in which it starts

    world.supervisor.end(RuntimeError("no database"))

    assert await lifespan.receive() == {
        "type": "lifespan.startup.failed",
        "message": "no database",
    }
