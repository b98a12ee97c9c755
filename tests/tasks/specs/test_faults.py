"""What is wrong with a TaskSpec is said when it is submitted."""

from typing import Any

import pytest
from django.db import transaction

from tasks.exceptions import HeadwayError, InvalidArguments, InvalidSpec, InvalidValue, SpecNotFound
from tasks.models import TaskRun
from tasks.pipelines import submit_pipeline_reference
from tasks.specs import submit_spec_reference, submit_taskspec
from tests.tasks.specs.conftest import Write
from tests.tasks.specs.documents import CAT, GIVE, GREET, SAY

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_an_unserialisable_value_stores_nothing() -> None:
    with pytest.raises(InvalidValue):
        submit_taskspec(GIVE, payload=object())
    with pytest.raises(InvalidArguments):
        submit_pipeline_reference("nightly")
    assert not TaskRun.objects.exists()


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
