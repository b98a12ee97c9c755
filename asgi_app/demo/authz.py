"""Who may watch the demo: everybody. Named in ``HEADWAY["AUTHZ"]`` where the demo is loaded."""

from typing import TYPE_CHECKING

from asgi_app.demo.tasks import DEMO
from consumers.access.auth import Action, default_rule
from tasks.models import TaskRun

if TYPE_CHECKING:
    from consumers.access.rule import User

__all__ = ["open_demo"]

OPEN_TASKS = frozenset(task.module_path for task in DEMO)
OPEN_ACTIONS = frozenset({Action.VIEW, Action.STREAM, Action.ENQUEUE, Action.SEND, Action.STOP})


def open_demo(user: "User", run: TaskRun, action: Action) -> bool:
    """The demo's tasks are open to all, visitors included; the default rule guards the rest."""
    if run.task in OPEN_TASKS and action in OPEN_ACTIONS:
        return True
    return default_rule(user, run, action)
