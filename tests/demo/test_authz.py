"""The demo opens its own tasks, and nothing else."""

from types import SimpleNamespace
from typing import Any

import pytest

from asgi_app.demo import tasks
from asgi_app.demo.authz import open_demo
from consumers.access.auth import Action
from tasks.models import TaskRun

ANYBODY: Any = SimpleNamespace(is_authenticated=False, is_staff=False, pk=None)
SOMEBODY: Any = SimpleNamespace(is_authenticated=True, is_staff=False, pk=7)
STAFF: Any = SimpleNamespace(is_authenticated=True, is_staff=True, pk=8)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("task", tasks.DEMO, ids=lambda task: task.name)
def test_the_demo_is_open_to_anybody(task: Any, action: Action) -> None:
    assert open_demo(ANYBODY, TaskRun(task=task.module_path), action) is True


@pytest.mark.parametrize("action", Action)
def test_other_tasks_are_guarded_by_the_default_rule(action: Action) -> None:
    run = TaskRun(task="shop.tasks.refund", user_id=7)
    assert open_demo(ANYBODY, run, action) is False
    assert open_demo(SOMEBODY, run, action) is True
    assert open_demo(STAFF, run, action) is True
    assert open_demo(SOMEBODY, TaskRun(task="shop.tasks.refund"), action) is False


def test_an_action_of_a_later_version_is_not_open_by_itself() -> None:
    run = TaskRun(task=tasks.countdown.module_path)
    assert open_demo(ANYBODY, run, "grant") is False  # type: ignore[arg-type]
