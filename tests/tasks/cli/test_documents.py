"""``manage.py tasks specs`` and ``validate``."""

import json
from pathlib import Path
from typing import Any

import pytest

from .calls import call

GOOD = {"name": "good", "description": "Adds.", "target": "tests.app.tasks.add", "args": [1, 2]}
LINE = {"name": "line", "stages": [{"name": "only", "task": "tests.app.tasks.add", "args": [1]}]}


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.HEADWAY = {"SPECS": [str(tmp_path)]}
    return tmp_path


def put(folder: Path, name: str, document: object) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document))
    return file


def test_what_is_found_by_name(folder: Path) -> None:
    put(folder, "good.json", GOOD)
    put(folder, "monthly/line.pipeline.json", LINE)
    done = call("specs")
    assert done.code == 0
    lines = [line.split() for line in done.out.splitlines()]
    assert ["good", "TaskSpec", "Adds."] in lines
    assert ["monthly/line", "pipeline"] in lines
    told = {one["name"]: one for one in call("specs", "--json").json}
    assert told["good"]["file"] == str(folder / "good.json")
    assert told["good"]["problem"] is None


def test_what_is_wrong_is_named_with_its_place(folder: Path) -> None:
    put(folder, "bad.json", {"name": "bad", "target": "tests.app.tasks.add", "timeout": "soon"})
    put(folder, "gone.json", {**GOOD, "target": "tests.app.tasks:gone"})
    put(folder, "line.pipeline.json", {**LINE, "stages": []})
    (folder / "text.json").write_text("{")
    done = call("validate", "bad", "gone", "line", "text", str(put(folder, "good.json", GOOD)))
    assert (done.code, done.out) == (2, f"{folder}/good.json: a valid TaskSpec\n")
    bad, gone, line, text = done.err.splitlines()
    assert "timeout" in bad
    assert "gone" in gone
    assert "stages" in line
    assert "cannot be read as JSON" in text
    assert call("validate").code == 2
    assert call("specs").code == 2
    valid = {one["name"]: one["valid"] for one in call("validate", "--json").json}
    assert {name for name, good in valid.items() if not good} == {"bad", "gone", "line", "text"}


def test_stages_that_name_what_is_not_there(folder: Path) -> None:
    put(folder, "gone.json", {**GOOD, "target": "tests.app.tasks.gone"})
    stages = [
        {"name": "good", "task": "tests.app.tasks.add", "args": [{"$payload": True}]},
        {"name": "unknown", "task": "tests.app.tasks.gone"},
        {"name": "missing", "spec": "no/such"},
        {"name": "beside", "spec": "./gone"},
        {"name": "inline", "spec": {"name": "a", "target": "tests.app.tasks:gone"}},
        {"name": "command", "spec": {"name": "ls", "target": {"command": ["ls"]}}},
        {"name": "arguments", "task": "tests.app.tasks.add"},
    ]
    put(folder, "line.pipeline.json", {"name": "line", "stages": stages})
    done = call("validate", "line")
    assert (done.code, done.out) == (2, "")
    [said] = done.err.splitlines()
    assert said.startswith("line: The pipeline is not valid. /stages/1/task: the stage 'unknown': ")
    for fault in (
        "/stages/1/task: the stage 'unknown': No task is registered as 'tests.app.tasks.gone'",
        "/stages/2/spec: the stage 'missing': There is no TaskSpec 'no/such'",
        "/stages/3/spec: the stage 'beside': /target: No task is registered as",
        "/stages/4/spec: the stage 'inline': /target: tests.app.tasks has no function 'gone'",
        "/stages/6: the stage 'arguments': add() cannot be called like this",
    ):
        assert fault in said
    assert said.count("/stages/") == 5


def test_a_target_that_is_not_there_is_named_with_its_place(folder: Path) -> None:
    put(folder, "gone.json", {**GOOD, "target": "tests.app.tasks.gone"})
    done = call("validate", "gone", "--json")
    assert done.code == 2
    [told] = done.json
    assert told["problem"].startswith("/target: No task is registered as 'tests.app.tasks.gone'")


def test_a_bundle_and_a_file(folder: Path) -> None:
    bundle = put(folder, "bundle/pipeline.json", LINE).parent
    for reference in (bundle, bundle / "pipeline.json", "bundle"):
        assert call("validate", str(reference)).out == f"{reference}: a valid pipeline\n"


@pytest.mark.parametrize("reference", ["nowhere", "../bad", "/no/such/file.json"])
def test_what_is_not_there(folder: Path, reference: str) -> None:
    done = call("validate", reference)
    assert (done.code, done.out) == (2, "")
    assert done.err
