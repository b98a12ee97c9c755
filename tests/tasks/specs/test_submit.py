"""Submitting TaskSpecs."""

import os
from typing import Any

import pytest

from tasks.models import TaskRun
from tasks.pipelines import asubmit_pipeline_reference
from tasks.specs import TaskSpec, asubmit_spec_reference, asubmit_taskspec, submit_taskspec
from tasks.testing import running_supervisor
from tests.tasks.runs import row
from tests.tasks.specs.conftest import Write
from tests.tasks.specs.documents import GIVE, GREET

pytestmark = pytest.mark.django_db(transaction=True)


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


async def test_a_pipeline_of_specs() -> None:
    async with running_supervisor():
        handle = await asubmit_pipeline_reference("nightly", payload=[4, 5], wait=True, timeout=20)
        assert handle.return_value == "Hello Report: 9 in 2"


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
