"""What docs/ says is so."""

import ast
import json
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tasks.cli.exits import Exit
from tasks.management.commands.tasks import Command
from tasks.pipelines import Pipeline
from tasks.specs import TaskSpec
from tasks.stream_run import run_stream_task
from tasks.streaming.lookup import TASK_PATH

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_its_python_is_python(page: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        compile(block, page.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


OURS = ("tasks", "consumers", "asgi_app")


def imported(page: Path) -> Iterator[tuple[str, str]]:
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS:
                yield from ((str(node.module), alias.name) for alias in node.names)


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_what_its_python_imports_is_there(page: Path) -> None:
    for module, name in imported(page):
        assert hasattr(import_module(module), name), f"{module} has no {name}"


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_its_commands_are_understood(page: Path) -> None:
    parser = Command().create_parser("manage.py", "tasks")
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL):
        for line in block.splitlines():
            for found in re.findall(r"manage\.py tasks ([^|>;)]+)", line):
                parser.parse_args(shlex.split(found.strip()))


def test_the_exit_codes_are_those_of_the_commands() -> None:
    table = re.findall(r"^\| (\d+) \| ", (DOCS / "commands.md").read_text(), re.MULTILINE)
    assert [int(code) for code in table] == [int(code) for code in Exit]


def test_the_task_has_the_name_that_rules_are_told() -> None:
    text = (DOCS / "from-streaming-coordinator.md").read_text()
    assert run_stream_task.module_path == TASK_PATH
    assert f'run.task == "{TASK_PATH}"' in text


def test_its_specs_and_pipelines_are_valid() -> None:
    text = (DOCS / "specs-and-pipelines.md").read_text()
    spec, pipeline = map(json.loads, re.findall(r"```json\n(.*?)```", text, re.DOTALL))
    TaskSpec.of(spec)
    Pipeline.of(pipeline)
