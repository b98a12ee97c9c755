import asyncio

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
    raise AssertionError("not called")


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
    assert await applications.end(patience=0, mercy=1) == 1
    assert task.cancelled()


async def test_what_ends_by_itself_is_not_cancelled() -> None:
    applications, app = Applications(), App()
    task = await opened(applications, app)
    app.begin.set()
    asyncio.get_running_loop().call_soon(app.end.set)

    assert await applications.end(patience=30, mercy=0) == 0

    assert task.done()
    assert not app.cancelled


async def test_one_that_survives_its_cancellation_is_left() -> None:
    applications, app = Applications(), App(stubborn=True)
    task = await opened(applications, app)
    app.begin.set()
    await app.begun.wait()

    assert await applications.end(patience=0, mercy=0.01) == 1

    assert app.cancelled
    assert not task.done()
    task.cancel()
