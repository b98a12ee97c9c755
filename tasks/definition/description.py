"""A call of a task, described by the document of a TaskSpec."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tasks.codec import decode, encode
from tasks.definition import registry
from tasks.exceptions import InvalidOption

if TYPE_CHECKING:
    from tasks.task import Task

__all__ = ["described"]

_LIMITS = ("memory_mb", "cpu_seconds", "max_fds")
_OPTIONS = (
    *("timeout", "max_attempts", "priority", "queue_name"),
    *("runner", "env", "working_dir", "stream_output"),
)
# What belongs to one enqueueing, or to a project's settings, is no part of a description.
_ELSEWHERE = {
    "run_after": "run_after",
    "delay": "run_after",
    "user": "user",
    "unique_key": "unique_key",
    "backend": "backend",
}
_LONGEST = 100  # characters of a TaskSpec's name


def described(
    task: "Task[..., Any]", args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """A document that, submitted, does what ``task.enqueue(*args, **kwargs)`` would.

    Its options were checked when *task* was made, and the call is checked here: it is valid.
    """
    task.check_call(args, kwargs)
    _check_options(task)
    fields = {
        "description": task.description,
        "args": list(args),
        "kwargs": dict(kwargs),
        **_options(task, _OPTIONS),
        "limits": _options(task, _LIMITS),
        "metadata": task.metadata,
    }
    given = {name: value for name, value in fields.items() if value not in ("", [], {})}
    document: dict[str, Any] = {"name": _name(task), "target": _target(task), **given}
    for name in ("env", "metadata"):
        if name in document:
            document[name] = dict(document[name])
    # A copy: what the call refers to may change from now on.
    found: dict[str, Any] = decode(encode(document))
    return found


def _options(task: "Task[..., Any]", names: tuple[str, ...]) -> dict[str, Any]:
    found = {name: getattr(task, name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _check_options(task: "Task[..., Any]") -> None:
    known = registry.find(task.module_path)
    for name, given in _ELSEWHERE.items():
        if getattr(task, name) != getattr(known, name):
            raise InvalidOption(
                f"A TaskSpec says nothing of {given}: leave it out of using(), and enqueue the"
                " task where it matters."
            )


def _name(task: "Task[..., Any]") -> str:
    """That of the task, as far as a TaskSpec may have it."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", task.name).lstrip("_.-")[:_LONGEST] or "task"


def _target(task: "Task[..., Any]") -> str:
    """The registered name stays when its function moves; but some are none for a target."""
    name = task.registered_name
    return task.module_path if name is None or re.search(r"[\s:/]", name) else name
