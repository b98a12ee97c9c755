"""Ending pipelines, and going on where a process left them."""

import asyncio
from typing import Any

import anyio
import pytest
from asgiref.sync import sync_to_async

from tasks.engine import store
from tasks.engine.attempts.endings import lost_with_its_process
from tasks.engine.pipelines import conductor
from tasks.exceptions import RunCancelled, RunFinished, TaskFailed
from tasks.handles import Handle, get_handle
from tasks.pipelines import Pipeline, Stage, asubmit_pipeline, value
from tasks.states import RunStatus
from tasks.testing import running_supervisor
from tests.app import tasks as app
from tests.tasks.pipelines.conftest import Look
from tests.tasks.runs import claim_one, row, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def short_grace(settings: Any) -> None:
    settings.HEADWAY = {"GRACE": 0.5}


SLOW = Pipeline(
    "slow",
    [
        Stage(name="a", target=app.named),
        Stage(name="b", target=app.sleep, args=[60]),
        Stage(name="c", target=app.until_stopped, needs=["a"]),
        Stage(name="d", target=app.named, needs=["b", "c"]),
    ],
)


async def stages(handle: Handle, look: Look, **statuses: str) -> None:
    """Wait until stages have come so far."""

    async def so() -> bool:
        return statuses.items() <= (await look(handle)).statuses.items()

    await until(so)


@pytest.mark.parametrize("request_", ["stop", "kill"])
async def test_it_travels_down(look: Look, request_: str) -> None:
    async with running_supervisor():
        handle = await asubmit_pipeline(SLOW)
        await stages(handle, look, b="RUNNING", c="RUNNING")
        assert await getattr(handle, f"a{request_}")()
        with pytest.raises(RunCancelled):
            await handle.await_result(50)
        with pytest.raises(RunFinished):
            await getattr(handle, f"a{request_}")()
    seen = await look(handle)
    assert seen.statuses == {"a": "SUCCESSFUL", "b": "CANCELLED", "c": "CANCELLED"}
    kinds = [type_ for type_, _ in seen.told]
    assert kinds.count("stopping") == kinds.count("finished") == 1
    assert ("stopping", {"request": request_}) in seen.told
    assert seen.stages[-1] == ("skipped", "d")
    assert kinds[-1] == "finished"


async def test_a_kill_outranks_a_stop(look: Look) -> None:
    made = Pipeline("p", [Stage(name="a", target=app.stubborn, args=[3])])
    async with running_supervisor():
        handle = await asubmit_pipeline(made)
        await stages(handle, look, a="RUNNING")
        await handle.astop()
        await handle.akill()
        with pytest.raises(RunCancelled):
            await handle.await_result(50)


async def test_a_stage_that_waits_is_ended_where_nobody_executes(look: Look) -> None:
    """By the process that asks: the only one there is."""
    async with running_supervisor():
        handle = await asubmit_pipeline(SLOW)
        await stages(handle, look, b="RUNNING", c="RUNNING")
    # Drained: both are back in the queue.
    await stages(handle, look, b="READY", c="READY")
    assert await handle.astop()
    await handle.arefresh()
    assert handle.status == "CANCELLED"
    assert (await look(handle)).statuses["b"] == "CANCELLED"


async def test_before_it_has_begun() -> None:
    handle = await asubmit_pipeline(SLOW)
    assert await handle.astop()
    await handle.arefresh()
    assert handle.status == "CANCELLED"


async def test_one_stage_that_is_stopped_fails_it(look: Look) -> None:
    async with running_supervisor():
        handle = await asubmit_pipeline(SLOW)
        await stages(handle, look, b="RUNNING", c="RUNNING")
        b = (await look(handle)).runs["b"]
        await (await sync_to_async(get_handle)(b.pk)).astop()
        with pytest.raises(TaskFailed, match="The stage 'b' has failed"):
            await handle.await_result(50)


async def test_a_stage_stopped_while_it_waits_fails_it_at_once(look: Look, settings: Any) -> None:
    settings.HEADWAY |= {"QUEUES": {"default": 5}}
    made = Pipeline("p", [Stage(name="a", target=app.named.using(queue_name="elsewhere"))])
    async with running_supervisor():
        handle = await asubmit_pipeline(made)
        await stages(handle, look, a="READY")
        a = (await look(handle)).runs["a"]
        await (await sync_to_async(get_handle)(a.pk)).astop()
        await handle.arefresh()
        assert handle.status == "FAILED"


async def test_a_stage_whose_process_died_too_often_fails_it(
    look: Look, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rescuer ends the stage; nobody has an attempt at it."""
    settings.HEADWAY |= {"LOST_ATTEMPTS": 1, "QUEUES": {"default": 5}}
    monkeypatch.setattr(conductor, "_EVERY", 3600)  # what follows is not found by looking
    made = Pipeline("p", [Stage(name="a", target=app.named.using(queue_name="elsewhere"))])
    async with running_supervisor():
        handle = await asubmit_pipeline(made)
        await stages(handle, look, a="READY")
        assert (await sync_to_async(claim_one)("dead", 0.01)).queue_name == "elsewhere"
        with pytest.raises(TaskFailed, match="The process dead died"):
            await handle.await_result(50)


async def test_what_a_dead_process_left_between_two_stages_is_found(look: Look) -> None:
    """Its last stage has ended, and nobody was told."""
    async with running_supervisor():
        a_stage = Stage(name="a", target=app.sleep, args=[60])
        b_stage = Stage(name="b", target=app.echo, args=[value("a")])
        handle = await asubmit_pipeline(Pipeline("p", [a_stage, b_stage]))
        await stages(handle, look, a="RUNNING")
    (a,) = (await look(handle)).runs.values()
    assert await sync_to_async(conductor.behind)() == []

    def end_like_a_process_that_dies() -> None:
        claim = claim_one("dead")
        assert claim.run_id == a.pk
        end = claim.started.at
        change = store.Change(RunStatus.SUCCESSFUL, return_value='"left"', finished_at=end)
        event = claim.started._replace(seq=claim.started.seq + 1, type="finished")
        store.write([store.RunWrite(a.pk, claim.fence, [event], change=change)])

    await sync_to_async(end_like_a_process_that_dies)()
    assert await sync_to_async(conductor.behind)() == [handle.run_id]
    async with running_supervisor():
        assert await handle.await_result(50) == "left"


async def test_a_process_that_dies_with_the_pipeline_in_hand_is_rescued() -> None:
    made = Pipeline("p", [Stage(name="a", target=app.named)])
    handle = await asubmit_pipeline(made)

    def die() -> None:
        claim_one("dead", 0)
        while not store.rescue(lost_with_its_process):
            pass

    await sync_to_async(die)()
    async with running_supervisor():
        assert await handle.await_result(50) == "by name"


async def test_a_drain_does_not_wait_for_pipelines(look: Look, settings: Any) -> None:
    settings.HEADWAY = {"QUEUES": {"default": 5}, "GRACE": 3600}
    made = Pipeline("p", [Stage(name="a", target=app.named.using(queue_name="elsewhere"))])
    async with running_supervisor() as supervisor:
        handle = await asubmit_pipeline(made)
        await stages(handle, look, a="READY")
        with anyio.fail_after(30):
            supervisor.drain()
            await asyncio.shield(supervisor.drained.wait())
    run = await row(handle)
    assert (run.status, run.worker_id, run.lease_expires_at) == ("RUNNING", "", None)


async def test_a_stage_that_was_deleted_fails_it(look: Look, settings: Any) -> None:
    settings.HEADWAY |= {"QUEUES": {"default": 5}}
    made = Pipeline("p", [Stage(name="a", target=app.named.using(queue_name="elsewhere"))])
    async with running_supervisor():
        handle = await asubmit_pipeline(made)
        await stages(handle, look, a="READY")
        await (await look(handle)).runs["a"].adelete()
        assert await sync_to_async(conductor.behind)() == [handle.run_id]
        await sync_to_async(conductor.conduct)(handle.run_id)
        with pytest.raises(TaskFailed, match="has been deleted"):
            await handle.await_result(50)


async def test_who_executes_all_there_is_executes_pipelines_to_the_end() -> None:
    """A worker with --once."""
    made = [Stage(name=name, target=app.named) for name in "abcde"]
    handle = await asubmit_pipeline(Pipeline("p", made))
    async with running_supervisor() as supervisor:
        await asyncio.wait_for(supervisor.exhausted.wait(), 20)
        await handle.arefresh()
        assert handle.status == "SUCCESSFUL"
