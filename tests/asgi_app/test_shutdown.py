import asyncio
from typing import Any

import pytest

from asgi_app import shutdown
from asgi_app.applications import Applications
from asgi_app.lifecycle import Lifecycle
from asgi_app.shutdown import Shutdown
from consumers.asgi import Message, Receive, Scope, Send
from tests.asgi_app.fakes import FakeSupervisor

FOREVER = 1000.0  # seconds: no test waits for this


@pytest.fixture(autouse=True)
def long_grace(settings: Any) -> None:
    settings.HEADWAY = {"GRACE": FOREVER}


async def serving(supervisor: FakeSupervisor) -> Lifecycle:
    lifecycle = Lifecycle(supervisor.parts)
    lifecycle.start(lambda: None)
    await lifecycle.settled()
    return lifecycle


async def nothing() -> Message:
    raise AssertionError("not called")


async def swallow(message: Message) -> None:
    pass


async def test_it_drains_and_lets_the_watchers_go() -> None:
    supervisor = FakeSupervisor()
    lifecycle = await serving(supervisor)

    await Shutdown(lifecycle, Applications()).run()

    assert supervisor.drains == 1
    assert supervisor.closed >= 1
    assert lifecycle.ended.is_set()


async def test_it_goes_once_however_many_wait_for_it() -> None:
    supervisor = FakeSupervisor()
    way_down = Shutdown(await serving(supervisor), Applications())

    await asyncio.gather(way_down.run(), way_down.run())
    await way_down.run()

    assert supervisor.drains == 1


async def test_one_who_stops_waiting_does_not_stop_it() -> None:
    supervisor = FakeSupervisor(stubborn=True)
    lifecycle = await serving(supervisor)
    way_down = Shutdown(lifecycle, Applications())
    waiting = asyncio.create_task(way_down.run())
    await asyncio.sleep(0)  # a turn of the loop, in which it begins

    waiting.cancel()
    await asyncio.wait({waiting})
    supervisor.end()
    await way_down.run()

    assert lifecycle.ended.is_set()


async def test_hurry_ends_the_grace_period() -> None:
    supervisor = FakeSupervisor(stubborn=True)
    way_down = Shutdown(await serving(supervisor), Applications())
    running = asyncio.create_task(way_down.run())
    await asyncio.sleep(0)  # a turn of the loop, in which it begins
    await asyncio.sleep(0)  # a turn of the loop, in which it begins

    way_down.hurry()
    await running

    assert supervisor.drains == 2


async def test_hurry_before_the_signal_leaves_no_grace_period() -> None:
    supervisor = FakeSupervisor(stubborn=True)
    way_down = Shutdown(await serving(supervisor), Applications())

    way_down.hurry()
    await way_down.run()

    assert supervisor.drains == 2


async def test_a_supervisor_that_hangs_is_abandoned(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Hanging(FakeSupervisor):
        def drain(self) -> None:
            self.drains += 1

    monkeypatch.setattr(shutdown, "COMMITS", 0.01)
    supervisor = Hanging()
    lifecycle = await serving(supervisor)
    way_down = Shutdown(lifecycle, Applications())

    way_down.hurry()
    await way_down.run()
    await lifecycle.ended.wait()

    assert supervisor.closed == 1
    assert "has not ended in time" in caplog.text


async def test_a_request_may_use_the_grace_period() -> None:
    lifecycle = await serving(FakeSupervisor())
    applications = Applications()
    sent: list[Any] = []
    answer = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer.wait()
        sent.append("answer")

    task = asyncio.create_task(applications.run(app, {"type": "http"}, nothing, swallow))
    way_down = Shutdown(lifecycle, applications)
    running = asyncio.create_task(way_down.run())
    await lifecycle.ended.wait()

    answer.set()
    await running

    assert sent == ["answer"]
    assert not task.cancelled()


async def test_a_request_that_never_answers_is_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    lifecycle = await serving(FakeSupervisor())
    applications = Applications()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(applications.run(app, {"type": "http"}, nothing, swallow))
    way_down = Shutdown(lifecycle, applications)
    running = asyncio.create_task(way_down.run())
    await lifecycle.ended.wait()
    way_down.hurry()
    await running

    assert task.cancelled()
    assert "had to be cut off: 1." in caplog.text
