"""Pipelines that are executed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction

from tasks.engine import store
from tasks.exceptions import RunCancelled, TaskFailed
from tasks.pipelines import (
    Pipeline,
    Stage,
    asubmit_pipeline,
    payload,
    submit_pipeline,
    value,
)
from tasks.pipelines.advance import conduct
from tasks.testing import running_supervisor
from tests.app import tasks as app
from tests.tasks.pipelines.conftest import Look
from tests.tasks.runs import until

pytestmark = pytest.mark.django_db(transaction=True)


def line(*targets: Any, **fields: Any) -> Pipeline:
    """Stages a, b, …, each given what the last one returned."""
    names = "abcdefgh"[: len(targets)]
    stages = [
        Stage(name=name, target=target, args=[value(names[number - 1])] if number else ())
        for number, (name, target) in enumerate(zip(names, targets, strict=True))
    ]
    return Pipeline("line", stages, **fields)


def chain(count: int) -> Pipeline:
    first = Stage(name="s1", target=app.add, args=[payload(), 1])
    rest = [
        Stage(name=f"s{n}", target=app.add, args=[value(f"s{n - 1}"), 1])
        for n in range(2, count + 1)
    ]
    return Pipeline("chain", [first, *rest])


@pytest.mark.parametrize("concurrency", [1, 200])
async def test_one_after_another(settings: Any, look: Look, concurrency: int) -> None:
    settings.HEADWAY = {"CONCURRENCY": concurrency}
    handle = await asubmit_pipeline(chain(5), payload=10)
    async with running_supervisor():
        assert await handle.await_result(50) == 15
    seen = await look(handle)
    names = [f"s{n}" for n in range(1, 6)]
    expected = [(what, name) for name in names for what in ("started", "finished")]
    assert seen.stages == expected
    assert [run.return_value for run in seen.runs.values()] == [15, 14, 13, 12, 11]
    started = {d["stage"]: d["run"] for type_, d in seen.told if type_ == "stage.started"}
    assert started == {name: str(run.pk) for name, run in seen.runs.items()}
    assert [type_ for type_, _ in seen.told[:3]] == ["queued", "started", "pipeline"]
    assert seen.told[-1] == ("finished", {"status": "SUCCESSFUL", "return_value": 15})
    await handle.arefresh()
    assert handle.progress == {"done": 5, "total": 5, "message": "s5"}
    assert handle.metadata == {"pipeline": "chain"}
    assert seen.runs["s2"].metadata == {"pipeline": "chain", "stage": "s2"}


async def test_ten_pipelines_with_room_for_one_run(settings: Any) -> None:
    settings.HEADWAY = {"CONCURRENCY": 1}
    handles = [await asubmit_pipeline(chain(2), payload=n) for n in range(10)]
    async with running_supervisor():
        assert [await handle.await_result(50) for handle in handles] == list(range(2, 12))


async def test_out_and_in(look: Look) -> None:
    fan = Pipeline(
        "fan",
        [
            Stage(name="one", target=app.echo, args=[{"rows": [1, 2, 3]}]),
            Stage(name="left", target=app.add, args=[value("one", "rows")], kwargs={"b": [4]}),
            Stage(name="right", target=app.add_in_thread, args=[1, 2], needs=["one"]),
            Stage(
                name="all",
                target=app.echo,
                args=[[value("left"), {"right": value("right"), "said": payload("word")}]],
                needs=["left", "right"],
            ),
        ],
    )
    async with running_supervisor():
        handle = await asubmit_pipeline(fan, payload={"word": "so"})
        assert await handle.await_result(50) == [[1, 2, 3, 4], {"right": 3, "said": "so"}]
    assert (await look(handle)).stages[:4] == [
        ("started", "one"),
        ("finished", "one"),
        ("started", "left"),
        ("started", "right"),
    ]


async def test_the_result_is_the_stage_that_is_named() -> None:
    async with running_supervisor():
        stages = [Stage(name="a", target=app.named), Stage(name="b", target=app.thread_name)]
        handle = await asubmit_pipeline(Pipeline("p", stages, result="a"))
        assert await handle.await_result(50) == "by name"


async def test_the_first_failure_stops_the_rest(look: Look) -> None:
    stages = [
        Stage(name="slow", target=app.sleep, args=[30]),
        Stage(name="bad", target=app.fail, args=["no paper"], needs=()),
        Stage(name="after", target=app.named, needs=["slow", "bad"]),
    ]
    async with running_supervisor():
        handle = await asubmit_pipeline(Pipeline("p", stages))
        with pytest.raises(TaskFailed, match=r"'bad' has failed. builtins.RuntimeError: no paper"):
            await handle.await_result(50)
    seen = await look(handle)
    assert seen.statuses == {"slow": "CANCELLED", "bad": "FAILED"}
    assert seen.stages[-1] == ("skipped", "after")
    ends = {d["stage"]: d for type_, d in seen.told if type_ == "stage.finished"}
    assert ends["bad"]["error"] == {"type": "builtins.RuntimeError", "message": "no paper"}


async def test_or_the_rest_goes_on(look: Look) -> None:
    stages = [
        Stage(name="bad", target=app.fail),
        Stage(name="after", target=app.named),
        Stage(name="good", target=app.named, needs=()),
        Stage(name="more", target=app.named, needs=["good"]),
    ]
    async with running_supervisor():
        handle = await asubmit_pipeline(Pipeline("p", stages, on_failure="continue"))
        with pytest.raises(TaskFailed, match="'bad' has failed"):
            await handle.await_result(50)
    seen = await look(handle)
    assert seen.statuses == {"bad": "FAILED", "good": "SUCCESSFUL", "more": "SUCCESSFUL"}
    assert ("skipped", "after") in seen.stages


async def test_an_optional_stage_may_fail() -> None:
    stages = [
        Stage(name="maybe", target=app.fail, optional=True),
        Stage(name="then", target=app.echo, args=[[value("maybe")]]),
    ]
    async with running_supervisor():
        handle = await asubmit_pipeline(Pipeline("p", stages))
        assert await handle.await_result(50) == [None]


async def test_a_stage_has_its_own_attempts(look: Look) -> None:
    async with running_supervisor():
        handle = await asubmit_pipeline(line(app.fail_once, app.echo))
        assert await handle.await_result(50) == 2
    assert (await look(handle)).runs["a"].attempt == 2


async def test_a_stage_that_cannot_be_given_what_it_takes_has_failed(look: Look) -> None:
    stages = [
        Stage(name="a", target=app.echo, args=[{"x": 1}]),
        Stage(name="b", target=app.echo, args=[value("a", "y")]),
    ]
    async with running_supervisor():
        handle = await asubmit_pipeline(Pipeline("p", stages))
        with pytest.raises(TaskFailed, match="What the stage 'a' returned has no item 'y'"):
            await handle.await_result(50)
    assert list((await look(handle)).runs) == ["a"]


async def test_what_is_put_in_is_data() -> None:
    """A payload that looks like a reference is none."""
    sly = {"$stage": "a"}
    stages = [
        Stage(name="a", target=app.echo, args=["secret"]),
        Stage(name="b", target=app.echo, args=[payload()]),
        Stage(name="c", target=app.echo, args=[value("b")]),
    ]
    async with running_supervisor():
        handle = await asubmit_pipeline(Pipeline("p", stages), payload=sly)
        assert await handle.await_result(50) == sly


async def test_it_is_taken_further_once_however_often(look: Look) -> None:
    handle = await asubmit_pipeline(chain(2), payload=1)
    async with running_supervisor():
        assert await handle.await_result(50) == 3
    before = await look(handle)
    for _ in range(3):
        await sync_to_async(conduct)(handle.run_id)
    assert (await look(handle)).told == before.told


def test_it_belongs_to_the_transaction() -> None:
    with transaction.atomic():
        handle = submit_pipeline(chain(2), payload=1)
        transaction.set_rollback(True)
    assert handle.run_id not in store.heads([handle.run_id])


def test_the_payload_is_as_it_was_at_the_call() -> None:
    given = {"n": [1]}
    made = Pipeline("p", [Stage(name="a", target=app.echo, args=[payload("n")])])
    handle = submit_pipeline(made, payload=given)
    given["n"].append(2)
    assert store.fetch_run(handle.run_id).args[0]["payload"] == {"n": [1]}


async def test_stages_of_a_live_pipeline_are_kept_from_retention(look: Look) -> None:
    stages = [Stage(name="a", target=app.named), Stage(name="b", target=app.sleep, args=[30])]

    async def goes() -> bool:
        run = (await look(handle)).runs["a"]
        return not await sync_to_async(store.discard)([run.pk], events=100)

    async with running_supervisor():
        handle = await asubmit_pipeline(Pipeline("p", stages))

        async def at_b() -> bool:
            return "b" in (await look(handle)).runs

        await until(at_b)
        assert not await goes()
        await handle.akill()
        with pytest.raises(RunCancelled):
            await handle.await_result(50)
    runs = (await look(handle)).runs.values()
    long = datetime.now(UTC) + timedelta(minutes=5)
    assert all(run.watched_until and run.watched_until < long for run in runs)
