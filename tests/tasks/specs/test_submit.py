"""Submitting TaskSpecs."""

import os
from typing import Any

import pytest
from django.db import transaction

from tasks.codec import decode
from tasks.exceptions import (
    HeadwayError,
    InvalidArguments,
    InvalidSpec,
    InvalidValue,
    SpecNotFound,
)
from tasks.models import TaskEvent, TaskRun
from tasks.pipelines import (
    Pipeline,
    Stage,
    asubmit_pipeline,
    asubmit_pipeline_reference,
    submit_pipeline_reference,
    value,
)
from tasks.specs import (
    TaskSpec,
    asubmit_spec_reference,
    asubmit_taskspec,
    submit_spec_reference,
    submit_taskspec,
)
from tasks.testing import running_supervisor
from tests.app import tasks as app
from tests.tasks.runs import row
from tests.tasks.specs.conftest import Write

pytestmark = pytest.mark.django_db(transaction=True)

GIVE = {"name": "give", "target": "tests.app.functions:give"}
GREET = {"name": "greet", "target": "tests.app.functions:greet", "kwargs": {"name": "you"}}


@pytest.mark.parametrize(
    ("document", "value"),
    [
        ({"name": "a", "target": "tests.app.tasks.add", "args": [1, 2]}, 3),
        ({"name": "a", "target": "suite.named"}, "by name"),
        ({"name": "a", "target": "tests.app.tasks:add", "args": [1], "kwargs": {"b": 3}}, 4),
        ({"name": "a", "target": "tests.app.functions:greet", "args": ["you"]}, "Hi you"),
        ({"name": "a", "target": "tests.app.functions:agreet", "args": ["you"]}, "Hi you"),
        (TaskSpec.of(GREET), "Hi you"),
    ],
)
async def test_every_kind_of_target(document: Any, value: Any) -> None:
    async with running_supervisor():
        handle = await asubmit_taskspec(document, wait=True, timeout=20)
        assert handle.return_value == value
        assert handle.metadata["taskspec"] == ("a" if isinstance(document, dict) else "greet")


async def test_by_reference_with_its_options() -> None:
    async with running_supervisor():
        handle = await asubmit_spec_reference("greet", spec_args={"name": "Ada"}, wait=True)
        assert handle.return_value == "Hello Ada"
    run = await row(handle)
    assert (run.timeout, run.priority) == (30, 7)
    assert run.metadata == {"team": "front", "taskspec": "greet"}


async def test_a_bundle_brings_its_modules() -> None:
    async with running_supervisor():
        handle = await asubmit_spec_reference("report", payload=[1, 2, 3], wait=True)
        assert handle.return_value == "Report: 6 in 3"


async def test_two_bundles_have_a_module_of_the_same_name(write: Write) -> None:
    for name in ("one", "two"):
        document = {"name": name, "target": "jobs:who"}
        file = write(f"{name}/taskspec.json", document)
        (file.parent / "jobs.py").write_text("from . import me\nwho = lambda: me.NAME\n")
        (file.parent / "me.py").write_text(f"NAME = {name!r}\n")
    async with running_supervisor():
        for name in ("one", "two", "one"):
            handle = await asubmit_spec_reference(name, wait=True)
            assert handle.return_value == name


async def test_a_failure_is_told_by_the_handle() -> None:
    async with running_supervisor():
        document = {"name": "a", "target": "tests.app.tasks.fail"}
        handle = await asubmit_taskspec(document, wait=True)
        assert handle.status == "FAILED"


@pytest.mark.parametrize("payload", [None, 0, "", [], {"deep": [1, {"er": None}]}, "123", 2**60])
async def test_a_payload_comes_as_it_is(payload: Any) -> None:
    async with running_supervisor():
        handle = await asubmit_taskspec(GIVE, payload=payload, wait=True)
        assert handle.return_value == payload
        assert type(handle.return_value) is type(payload)
        assert (await asubmit_taskspec(GIVE, wait=True)).return_value == "nothing"


def test_it_is_as_it_was_at_the_call() -> None:
    payload = {"n": [1]}
    spec: dict[str, Any] = {**GREET, "kwargs": {"name": "you"}}
    taken = [submit_taskspec(GIVE, payload=payload), submit_taskspec(spec)]
    payload["n"].append(2)
    spec["kwargs"]["name"] = "others"
    runs = [TaskRun.objects.get(pk=handle.run_id) for handle in taken]
    assert [run.args[3] for run in runs] == [{"payload": {"n": [1]}}, {"name": "you"}]


WITH_ARGS = {
    **GREET,
    "kwargs": {},
    "spec_args": {"name": {"type": "string", "required": True}, "greeting": {"default": "Yo"}},
}


@pytest.mark.parametrize(
    ("document", "given", "said"),
    [
        ({"name": "a", "target": "nobody.knows"}, {}, "/target: No task is registered as 'nobody"),
        ({"name": "a", "target": "headway.call"}, {}, "/target: No task is registered"),
        ({"name": "a", "target": "tasks.specs.calls.call"}, {}, "/target: No task is registered"),
        ({"name": "a", "target": "os:getpid"}, {}, "/target: os is in no app of INSTALLED_APPS"),
        (
            {"name": "a", "target": "tests.app.nothing:x"},
            {},
            "tests.app.nothing cannot be imported",
        ),
        ({"name": "a", "target": "tests.app.functions:x"}, {}, "has no function 'x'"),
        ({"name": "a", "target": "tests.app.functions:NUMBER"}, {}, "has no function 'NUMBER'"),
        (
            {"name": "a", "target": "tests.app.functions:count"},
            {},
            "is a generator: make it a task",
        ),
        ({**GREET, "kwargs": {}}, {}, "cannot be called like this: missing a required argument"),
        (GREET, {"payload": 1}, "unexpected keyword argument 'payload'"),
        ({**GIVE, "kwargs": {"payload": 1}}, {"payload": 2}, "an argument 'payload' already"),
        (GIVE, {"payload": {1, 2}}, "cannot be carried as JSON"),
        (GIVE, {"payload": float("nan")}, "cannot be stored"),
        (GIVE, {"work_payload": 1}, "work_payload= is called payload= here"),
        (GIVE, {"input": 1}, "input= is called payload= here"),
        (GIVE, {"paylod": 1}, "There is no parameter paylod="),
        (GIVE, {"stdin_text": "x"}, "stdin_text is for commands"),
        (GIVE, {"spec_args": {"a": 1}}, "The spec give takes: none. /spec_args/a: not declared"),
        (WITH_ARGS, {}, "/spec_args/name: must be given"),
        (WITH_ARGS, {"spec_args": {"name": 7}}, "/spec_args/name: must be of type string, not int"),
        ({**GREET, "runner": "async"}, {}, "The TaskSpec greet cannot be executed"),
        ({**GREET, "spec_args": {"name": {}}}, {}, "/spec_args/name: kwargs gives it already"),
        ({**GREET, "stdin_text": True}, {}, "/stdin_text: only a command reads"),
        ({**GREET, "kwargs": {"name": {1}}}, {}, "The TaskSpec is no JSON"),
        ({"name": "a", "target": {"command": ["ls", 1]}}, {}, "/target/command/1: must be of type"),
        (
            {"name": "a", "target": {"command": ["ls"]}, "args": ["${x}", "$${y}"]},
            {},
            "/args/0: ${x} is not declared in spec_args",
        ),
        (
            {"name": "a", "target": {"command": ["ls"]}, "kwargs": {"a": 1}, "runner": "thread"},
            {},
            "/runner: a command has the runner 'command'; /kwargs: a command has",
        ),
    ],
)
def test_all_that_is_wrong_is_said_at_the_call(document: Any, given: Any, said: str) -> None:
    with transaction.atomic():  # which goes on: nothing is broken by it
        with pytest.raises(HeadwayError) as raised:
            submit_taskspec(document, **given)
        assert said in str(raised.value)
        assert not TaskRun.objects.exists()


def test_a_missing_reference() -> None:
    with pytest.raises(SpecNotFound):
        submit_spec_reference("no/such")
    with pytest.raises(SpecNotFound):
        submit_pipeline_reference("no/such")


@pytest.mark.parametrize("text", ["{", "", "[1, 2", "\ufeff{}", "nul"])
def test_a_file_that_is_no_json_is_named(write: Write, text: str) -> None:
    file = write("broken.json", text)
    with pytest.raises(InvalidSpec, match=str(file)):
        submit_spec_reference("broken")


def test_so_is_a_file_with_a_fault(write: Write) -> None:
    file = write("faulty.json", {"name": "a", "target": "b", "limits": {"memory_mb": 0}})
    with pytest.raises(InvalidSpec) as raised:
        submit_spec_reference("faulty")
    assert f"{file}: The TaskSpec is not valid. /limits/memory_mb: must be at least 1" in str(
        raised.value
    )


def test_a_task_in_a_bundle_is_refused(write: Write) -> None:
    file = write("one/taskspec.json", {"name": "one", "target": "jobs:mine"})
    (file.parent / "jobs.py").write_text("from tasks import task\n@task\ndef mine(): pass\n")
    with pytest.raises(InvalidSpec, match="in a bundle, leave @task out"):
        submit_spec_reference("one")


def test_a_module_that_fails_when_it_is_imported(write: Write) -> None:
    file = write("one/taskspec.json", {"name": "one", "target": "jobs:mine"})
    (file.parent / "jobs.py").write_text("1 / 0\n")
    with pytest.raises(InvalidSpec, match="jobs cannot be imported: ZeroDivisionError"):
        submit_spec_reference("one")


async def test_a_pipeline_of_specs() -> None:
    async with running_supervisor():
        handle = await asubmit_pipeline_reference("nightly", payload=[4, 5], wait=True, timeout=20)
        assert handle.return_value == "Hello Report: 9 in 2"


def test_an_unserialisable_value_stores_nothing() -> None:
    with pytest.raises(InvalidValue):
        submit_taskspec(GIVE, payload=object())
    with pytest.raises(InvalidArguments):
        submit_pipeline_reference("nightly")
    assert not TaskRun.objects.exists()


CAT = {"name": "cat", "target": {"command": ["cat"]}, "stdin_text": True}
SAY = {
    "name": "say",
    "target": {"command": ["printf", "%s|%s|%s"]},
    "args": ["${day} x", "$${day}", "${count}"],
    "spec_args": {"day": {"type": "string"}, "count": {"type": "integer", "default": 3}},
}


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


@pytest.mark.parametrize(
    ("document", "given", "said"),
    [
        (CAT, {"stdin_text": "x", "payload": 1}, "stdin_text and payload are both for"),
        (CAT, {"stdin_text": 7}, "stdin_text is a str, not int"),
        ({**CAT, "stdin_text": False}, {"stdin_text": "x"}, "takes no stdin_text"),
        (SAY, {"spec_args": {"day": "a\0b"}}, "argv holds a NUL character"),
        ({"name": "a", "target": {"command": [""]}}, {}, "argv is empty"),
        ({**CAT, "limits": {"max_fds": 15}}, {}, "/limits/max_fds: must be at least 16"),
        ({**CAT, "runner": "process"}, {}, "/runner: a command has the runner 'command'"),
    ],
)
def test_faults_of_commands(document: Any, given: Any, said: str) -> None:
    with pytest.raises(HeadwayError) as raised:
        submit_taskspec(document, **given)
    assert said in str(raised.value)


async def test_functions_in_processes_of_their_own(write: Write) -> None:
    """With limits; and in a bundle, from its folder."""
    document = {
        "name": "pid",
        "target": "tests.app.functions:pid",
        "runner": "process",
        "limits": {"memory_mb": 500, "cpu_seconds": 10, "max_fds": 64},
    }
    here = {"name": "a", "target": "jobs:here", "runner": "process", "working_dir": "."}
    file = write("one/taskspec.json", here)
    (file.parent / "jobs.py").write_text("import os\nhere = lambda: os.getcwd()\n")
    async with running_supervisor():
        handle = await asubmit_taskspec(document, wait=True)
        assert handle.return_value != os.getpid()
        in_bundle = await asubmit_spec_reference("one", wait=True)
        assert in_bundle.return_value == str(file.parent)
    assert (await row(handle)).options["memory_mb"] == 500


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
