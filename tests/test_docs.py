"""What docs/ says is so."""

import ast
import json
import re
from pathlib import Path

import pytest

from tasks.pipelines import Pipeline
from tasks.specs import TaskSpec
from tasks.stream_models import TASK_PATH
from tasks.stream_run import run_stream_task

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_its_python_is_python(page: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        compile(block, page.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_the_task_has_the_name_that_rules_are_told() -> None:
    text = (DOCS / "from-streaming-coordinator.md").read_text()
    assert run_stream_task.module_path == TASK_PATH
    assert f'run.task == "{TASK_PATH}"' in text


def test_its_specs_and_pipelines_are_valid() -> None:
    text = (DOCS / "specs-and-pipelines.md").read_text()
    spec, pipeline = map(json.loads, re.findall(r"```json\n(.*?)```", text, re.DOTALL))
    TaskSpec.of(spec)
    Pipeline.of(pipeline)
