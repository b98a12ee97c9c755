"""TaskSpecs of commands."""

from typing import Any

import pytest

from tasks.codec import decode
from tasks.models import TaskEvent, TaskRun
from tasks.pipelines import Pipeline, Stage, asubmit_pipeline, value
from tasks.specs import asubmit_taskspec
from tasks.testing import running_supervisor
from tests.app import tasks as app
from tests.tasks.specs.documents import CAT, SAY

pytestmark = pytest.mark.django_db(transaction=True)


async def printed(handle: Any) -> str:
    events = TaskEvent.objects.filter(run=handle.run_id, type="output").order_by("seq")
    return "".join([decode(event.data)["text"] async for event in events])


ENV = {"name": "e", "target": {"command": ["sh", "-c", "echo $A; pwd"]}, "env": {"A": "b"}}


async def test_commands() -> None:
    """All with one supervisor: to begin the first process takes longer than all that follow."""
    async with running_supervisor():
        for document, given, text in (
            (CAT, {"stdin_text": "as it is"}, "as it is"),
            (CAT, {"payload": {"a": [1, "é"]}}, '{"a":[1,"é"]}'),
            (SAY, {"spec_args": {"day": "$(id); a b"}}, "$(id); a b x|${day}|3"),
            (ENV, {}, "b"),
        ):
            handle = await asubmit_taskspec(document, wait=True, **given)
            assert handle.status == "SUCCESSFUL", handle.errors
            assert (await printed(handle)).startswith(text)


async def test_a_stage_that_is_a_command() -> None:
    stages = [
        Stage(name="a", target=app.echo, args=[[1, 2]]),
        Stage(name="b", target=CAT, payload=value("a")),
        Stage(name="c", target=CAT, stdin_text=value("a")),
    ]
    async with running_supervisor():
        handle = await asubmit_pipeline(Pipeline("p", stages[:2]), wait=True)
        assert handle.status == "SUCCESSFUL", handle.errors
        b = await TaskRun.objects.aget(unique_key=f"headway.stage:{handle.run_id.hex}:b")
        events = TaskEvent.objects.filter(run=b.pk, type="output")
        assert [decode(event.data)["text"] async for event in events] == ["[1,2]"]
        handle = await asubmit_pipeline(Pipeline("p", stages), wait=True)
        assert handle.status == "FAILED"  # a list is no text
