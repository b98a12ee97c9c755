"""System checks: a bad setting is named at start, not met at run time."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from tasks.compat import task_backends
from tasks.conf import problems

__all__ = ["check_backend", "check_settings"]


def check_settings(**_: Any) -> list[CheckMessage]:
    """Every unknown key and every wrong value of ``HEADWAY``, by name."""
    return [Error(text, id="headway.E001") for text in problems(getattr(settings, "HEADWAY", {}))]


def check_backend(**_: Any) -> list[CheckMessage]:
    """Some entry of ``TASKS`` is Headway's; without one nothing is ever executed."""
    from tasks.backend import HeadwayBackend

    if any(isinstance(task_backends[alias], HeadwayBackend) for alias in settings.TASKS):
        return []
    return [
        Error(
            "No backend in TASKS is Headway's, so its tasks cannot be enqueued.",
            hint='TASKS = {"default": {"BACKEND": "tasks.backend.HeadwayBackend"}}',
            id="headway.E002",
        )
    ]
