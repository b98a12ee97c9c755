import asyncio
from contextvars import ContextVar

import pytest

from asgi_app.lifecycle import Lifecycle, Phase
from tests.asgi_app.fakes import FakeSupervisor

caller: ContextVar[str] = ContextVar("caller")


def phase(lifecycle: Lifecycle) -> Phase:
    """Asked anew each time: a type checker holds an attribute for what it was."""
    return lifecycle.phase


class Failures(list[str]):
    """Counts calls of on_failure."""

    def __call__(self) -> None:
        self.append("failed")


async def test_it_serves_once_its_parts_are_ready() -> None:
    supervisor = FakeSupervisor(ready=False)
    lifecycle = Lifecycle(supervisor.parts)
    assert phase(lifecycle) is Phase.IDLE

    lifecycle.start(Failures())
    assert phase(lifecycle) is Phase.STARTING
    assert not lifecycle.is_ready()

    supervisor.ready.set()
    assert await lifecycle.settled()
    assert lifecycle.is_ready()


async def test_a_part_that_is_down_for_a_while_is_told() -> None:
    supervisor = FakeSupervisor()
    lifecycle = Lifecycle(supervisor.parts)
    lifecycle.start(Failures())
    await lifecycle.settled()

    supervisor.ready.clear()

    assert not lifecycle.is_ready()
    assert phase(lifecycle) is Phase.SERVING


async def test_it_starts_once() -> None:
    built: list[FakeSupervisor] = []

    def build() -> object:
        built.append(FakeSupervisor())
        return built[-1].parts()

    lifecycle = Lifecycle(build)  # type: ignore[arg-type]
    lifecycle.start(Failures())
    lifecycle.start(Failures())
    await lifecycle.settled()

    assert len(built) == 1
    assert len(built[0].served) == 1


async def test_nothing_of_the_callers_context_lives_on() -> None:
    supervisor = FakeSupervisor()
    lifecycle = Lifecycle(supervisor.parts)
    caller.set("a request")

    lifecycle.start(Failures())
    await lifecycle.settled()

    assert caller not in supervisor.served[0]


async def test_a_drain_ends_it() -> None:
    supervisor = FakeSupervisor()
    lifecycle = Lifecycle(supervisor.parts)
    failures = Failures()
    lifecycle.start(failures)
    await lifecycle.settled()

    lifecycle.drain()
    assert phase(lifecycle) is Phase.DRAINING
    await lifecycle.ended.wait()

    assert phase(lifecycle) is Phase.STOPPED
    assert lifecycle.failure is None
    assert failures == []


async def test_a_drain_during_the_start_settles_it() -> None:
    supervisor = FakeSupervisor(ready=False)
    lifecycle = Lifecycle(supervisor.parts)
    lifecycle.start(Failures())

    lifecycle.drain()

    assert not await lifecycle.settled()


async def test_only_hurry_asks_the_supervisor_a_second_time() -> None:
    supervisor = FakeSupervisor(stubborn=True)
    lifecycle = Lifecycle(supervisor.parts)
    lifecycle.start(Failures())
    await lifecycle.settled()

    lifecycle.hurry()
    assert supervisor.drains == 0
    lifecycle.drain()
    lifecycle.drain()
    assert supervisor.drains == 1
    lifecycle.hurry()
    assert supervisor.drains == 2
    await lifecycle.ended.wait()


async def test_what_was_never_started_has_ended() -> None:
    lifecycle = Lifecycle(FakeSupervisor().parts)

    lifecycle.drain()
    lifecycle.close()
    lifecycle.abandon()

    assert lifecycle.ended.is_set()


@pytest.mark.parametrize("error", [RuntimeError("hub failed"), None])
async def test_an_end_that_nobody_asked_for_is_a_failure(
    error: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor = FakeSupervisor()
    lifecycle = Lifecycle(supervisor.parts)
    failures = Failures()
    lifecycle.start(failures)
    await lifecycle.settled()

    supervisor.end(error)
    await lifecycle.ended.wait()
    await asyncio.sleep(0)  # one turn: the call comes after the event

    assert failures == ["failed"]
    assert lifecycle.failure is not None
    assert f"Headway cannot go on: {lifecycle.failure}" in caplog.text


async def test_an_abandoned_one_ends() -> None:
    supervisor = FakeSupervisor(stubborn=True)
    lifecycle = Lifecycle(supervisor.parts)
    failures = Failures()
    lifecycle.start(failures)
    await lifecycle.settled()
    lifecycle.drain()

    lifecycle.abandon()
    await lifecycle.ended.wait()

    assert failures == []
