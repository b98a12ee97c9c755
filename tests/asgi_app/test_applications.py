import asyncio

import pytest

from asgi_app.applications import Applications
from consumers.asgi import ASGIApp, Message, Receive, Scope, Send


class App:
    """Begins its response when told, and ends when told."""

    def __init__(self, *, stubborn: bool = False) -> None:
        self.begin = asyncio.Event()
        self.end = asyncio.Event()
        self.begun = asyncio.Event()
        self.cancelled = False
        self._stubborn = stubborn

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.begin.wait()
        await send({"type": "http.response.start"})
        self.begun.set()
        try:
            await self.end.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            if self._stubborn:
                await asyncio.Event().wait()
            raise


async def nothing() -> Message:
    """A client that says nothing."""
    await asyncio.Event().wait()
    raise AssertionError


async def swallow(message: Message) -> None:
    pass


async def opened(
    applications: Applications, app: ASGIApp, type_: str = "http"
) -> asyncio.Task[None]:
    task = asyncio.create_task(applications.run(app, {"type": type_}, nothing, swallow))
    await asyncio.sleep(0)  # one turn, for it to begin
    return task


async def test_a_request_is_unanswered_until_its_response_begins() -> None:
    applications, app = Applications(), App()
    task = await opened(applications, app)
    assert applications.unanswered == {task}

    app.begin.set()
    await app.begun.wait()
    assert applications.unanswered == set()

    app.end.set()
    await task
    assert await applications.end(patience=0, mercy=0) == 0


async def test_a_websocket_owes_no_answer() -> None:
    applications, app = Applications(), App()
    task = await opened(applications, app, "websocket")

    assert applications.unanswered == set()
    assert await applications.end(patience=0, mercy=0.01) == 1
    assert task.cancelled()


async def test_what_ends_by_itself_is_let() -> None:
    applications, app = Applications(), App()
    task = await opened(applications, app)
    app.begin.set()
    asyncio.get_running_loop().call_soon(app.end.set)

    assert await applications.end(patience=30, mercy=0) == 0

    assert task.done()
    assert not app.cancelled


@pytest.mark.parametrize(
    ("type_", "goodbye"),
    [
        ("http", {"type": "http.disconnect"}),
        ("websocket", {"type": "websocket.disconnect", "code": 4012}),
    ],
)
@pytest.mark.parametrize("waits", [True, False])
async def test_what_is_left_is_told_that_its_client_has_gone(
    type_: str, goodbye: Message, waits: bool
) -> None:
    """At once where it waits for its client, else when it next does."""
    applications = Applications()
    received: list[Message] = []
    busy = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if not waits:
            await busy.wait()
        received.append(await receive())
        received.append(await receive())

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    task = asyncio.create_task(applications.run(app, {"type": type_}, nothing, send))
    await asyncio.sleep(0)  # one turn, for it to begin
    asyncio.get_running_loop().call_later(0.01, busy.set)
    assert await applications.end(patience=0, mercy=30) == 1

    assert received == [goodbye, goodbye]
    closed = [{"type": "websocket.accept"}, {"type": "websocket.close", "code": 4012}]
    assert sent == (closed if type_ == "websocket" else [])
    assert task.done()
    assert task.cancelling() == 0
    assert not task.cancelled()


async def test_a_websocket_that_was_accepted_is_closed_and_hears_nothing_more() -> None:
    applications = Applications()
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await receive()
        await send({"type": "websocket.send", "text": "late"})

    async def send(message: Message) -> None:
        sent.append(message)

    task = asyncio.create_task(applications.run(app, {"type": "websocket"}, nothing, send))
    await asyncio.sleep(0)  # one turn, for it to begin
    await applications.end(patience=0, mercy=30)
    await task

    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"]


async def test_a_cancellation_by_others_stays_one() -> None:
    applications = Applications()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

    task = await opened(applications, app)
    task.cancel()
    await asyncio.wait({task})

    assert task.cancelled()


async def test_one_that_survives_its_cancellation_is_left() -> None:
    applications, app = Applications(), App(stubborn=True)
    task = await opened(applications, app)
    app.begin.set()
    await app.begun.wait()

    assert await applications.end(patience=0, mercy=0.01) == 1

    assert app.cancelled
    assert not task.done()
    task.cancel()
