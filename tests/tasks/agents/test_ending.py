"""The end of an agent’s run, and of all that it has begun."""

import asyncio
from typing import Any

import pytest

from tasks.exceptions import RunCancelled, TaskFailed
from tests.tasks.agents import cast
from tests.tasks.agents.asked import call
from tests.tasks.agents.endpoint import Endpoint, chunk, endless, silent
from tests.tasks.runs import kinds, until

pytestmark = pytest.mark.django_db(transaction=True)


async def test_endless_text_has_an_end(settings: Any, supervisor: None, endpoint: Endpoint) -> None:
    settings.HEADWAY = {"EVENT_BYTES": 4096}
    endpoint.will(endless(chunk({"content": "and so on, "})))
    handle = await cast.plain.aenqueue("Go on?")
    with pytest.raises(TaskFailed, match=r"ReplyTooLong.* 3072 bytes"):
        await handle.await_result(20)
    await endpoint.left.wait()


@pytest.mark.parametrize("way", ["astop", "akill"])
async def test_who_ends_a_run_ends_its_request(
    supervisor: None, endpoint: Endpoint, way: str
) -> None:
    endpoint.will(silent(chunk({"content": "Well"})))
    handle = await cast.plain.aenqueue("Well?")

    async def begun() -> bool:
        return "append" in await kinds(handle)

    await until(begun)
    await getattr(handle, way)()
    await asyncio.wait_for(endpoint.left.wait(), 20)
    with pytest.raises(RunCancelled):
        await handle.await_result(20)


async def test_a_timeout_ends_the_request(supervisor: None, endpoint: Endpoint) -> None:
    endpoint.will(silent())
    handle = await cast.hasty.aenqueue("Quick?")
    with pytest.raises(TaskFailed, match="TaskTimeout"):
        await handle.await_result(20)

    async def nobody_is_connected() -> bool:
        return endpoint.open == 0

    await until(nobody_is_connected)


async def test_a_run_does_not_wait_for_a_thread_of_a_tool(
    supervisor: None, endpoint: Endpoint
) -> None:
    endpoint.will(call("linger", {}))
    handle = await cast.helper.aenqueue("Linger.")

    async def lingers() -> bool:
        return bool(cast.DEEDS)

    await until(lingers)
    await handle.astop()
    with pytest.raises(RunCancelled):
        await handle.await_result(20)
    assert not cast.GATE.is_set()
