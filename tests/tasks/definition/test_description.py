"""A call of a task, described by a TaskSpec."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks import task
from tasks.exceptions import InvalidArguments, InvalidOption, InvalidValue, UnknownTask
from tasks.pipelines import Pipeline, Stage, asubmit_pipeline, payload
from tasks.specs import TaskSpec, asubmit_spec_reference, asubmit_taskspec, calls, submit_taskspec
from tasks.specs.documents import taskspec_schema
from tasks.specs.validation import problems
from tasks.testing import running_supervisor
from tests.app import commands
from tests.app import tasks as app
from tests.tasks.runs import row

pytestmark = pytest.mark.django_db(transaction=True)


@task(
    name="suite.Bill it, please",
    description="Bills.",
    timeout=7,
    max_attempts=3,
    metadata={"team": "books"},
)
def bill(order: int, *, copy: bool = False) -> list[Any]:
    return [order, copy]


FULL = app.add.using(
    memory_mb=512,
    cpu_seconds=25,
    max_fds=64,
    timeout=9,
    max_attempts=2,
    priority=-3,
    queue_name="books",
    env={"A": "b"},
    working_dir="/",
    stream_output=True,
    metadata={"team": "books", "deep": {"n": [1]}},
)


def test_what_it_says() -> None:
    document = FULL.as_taskspec(1, b=2)
    assert document == {
        "name": "add",
        "target": "tests.app.tasks.add",
        "args": [1],
        "kwargs": {"b": 2},
        "limits": {"memory_mb": 512, "cpu_seconds": 25, "max_fds": 64},
        "timeout": 9,
        "max_attempts": 2,
        "priority": -3,
        "queue_name": "books",
        "env": {"A": "b"},
        "working_dir": "/",
        "stream_output": True,
        "metadata": {"team": "books", "deep": {"n": [1]}},
    }
    assert list(problems(document, taskspec_schema())) == []
    assert TaskSpec.of(json.loads(json.dumps(document))).document == document


def test_a_registered_name_is_the_target() -> None:
    assert app.named.as_taskspec() == {
        "name": "suite.named",
        "target": "suite.named",
        "priority": 0,
        "queue_name": "default",
    }


def test_a_name_that_no_spec_may_have() -> None:
    document = bill.as_taskspec(1, copy=True)
    assert document["name"] == "suite.Bill-it-please"
    assert document["target"] == f"{__name__}.bill"
    assert document["description"] == "Bills."
    submitted = submit_taskspec(document)
    assert (submitted.name, submitted.metadata["team"]) == (bill.name, "books")


@pytest.mark.parametrize(
    "described",
    [
        app.add.using(priority=5, metadata={"team": "front"}),
        app.add.using(priority=0, max_attempts=4, timeout=60),
        FULL,
    ],
)
async def test_submitting_it_stores_what_enqueueing_would(described: Any) -> None:
    enqueued = await row(await described.aenqueue(1, b=2))
    submitted = await row(await asubmit_taskspec(described.as_taskspec(1, b=2)))
    for name in (
        *("task", "args", "kwargs", "queue_name", "priority", "max_attempts"),
        *("timeout", "options", "backend"),
    ):
        assert getattr(submitted, name) == getattr(enqueued, name), name
    assert submitted.metadata == {**enqueued.metadata, "taskspec": "add"}


async def test_it_is_executed_from_a_file_and_as_a_stage(tmp_path: Path, settings: Any) -> None:
    settings.HEADWAY = {"SPECS": [tmp_path]}
    (tmp_path / "sum.json").write_text(json.dumps(app.add.as_taskspec(1, b=2)))
    say = {**commands.python.as_taskspec("print('said')"), "description": "Says."}
    stages = [
        Stage(name="given", target=app.echo, args=[payload()]),
        Stage(name="sum", target=app.add.as_taskspec(3, b=4), needs=["given"]),
    ]
    async with running_supervisor():
        handle = await asubmit_spec_reference("sum", wait=True)
        assert handle.return_value == 3
        handle = await asubmit_taskspec(say, wait=True)
        assert handle.return_value["stdout"] == "said"
        handle = await asubmit_pipeline(Pipeline("line", stages), payload=1, wait=True)
        assert handle.return_value == 7


def test_it_is_as_the_call_was() -> None:
    values = [1]
    document = app.echo.as_taskspec(values)
    values.append(2)
    assert document["args"] == [[1]]


def test_what_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidArguments, match="cannot be called like this"):
        app.add.as_taskspec()  # type: ignore[call-arg]
    with pytest.raises(InvalidValue, match="cannot be carried as JSON"):
        app.echo.as_taskspec({1, 2})
    with pytest.raises(UnknownTask, match="No task is registered"):
        calls.call.as_taskspec("os:getpid", None, [], {})


@pytest.mark.parametrize(
    "given", [{"run_after": timedelta(1)}, {"unique_key": "one"}, {"user": 7}], ids=str
)
def test_what_belongs_to_one_enqueueing_is_refused(given: Any) -> None:
    with pytest.raises(InvalidOption, match=next(iter(given))):
        app.add.using(**given).as_taskspec(1)
