"""A call of a task, described by a TaskSpec."""

import re
from collections.abc import Mapping
from typing import Any

from tasks import registry
from tasks.codec import decode, encode
from tasks.exceptions import InvalidOption
from tasks.specs.resolving import resolve
from tasks.specs.spec import LIMITS, OPTIONS, TaskSpec
from tasks.task import Task

__all__ = ["described"]

# What belongs to one enqueueing, or to a project's settings, is no part of a description.
_ELSEWHERE = ("run_after", "delay", "user", "unique_key", "backend")
_LONGEST = 100


def described(
    task: Task[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The document of a TaskSpec that does what ``task.enqueue(*args, **kwargs)`` would.

    :class:`InvalidArguments` or :class:`InvalidValue` as from there; :class:`InvalidOption` for
    an option of *task* that no document can have.
    """
    task.check_call(args, kwargs)
    _check_options(task)
    fields = {
        "description": task.description,
        "args": decode(encode(list(args))),
        "kwargs": decode(encode(dict(kwargs))),
        **_options(task, *OPTIONS, "working_dir"),
        "limits": _options(task, *LIMITS),
        "metadata": dict(task.metadata),
    }
    given = {name: value for name, value in fields.items() if value not in ("", [], {})}
    spec = TaskSpec.of({"name": _name(task), "target": _target(task), **given})
    resolve(spec)  # it says what would be said when it is submitted
    return dict(spec.document)


def _options(task: Task[..., Any], *names: str) -> dict[str, Any]:
    found = {name: getattr(task, name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _check_options(task: Task[..., Any]) -> None:
    known = registry.resolve(task.module_path)
    for name in _ELSEWHERE:
        if getattr(task, name) != getattr(known, name):
            raise InvalidOption(
                f"A TaskSpec says nothing of {name.replace('delay', 'run_after')}: leave it out"
                " of using(), and enqueue the task where it matters."
            )


def _name(task: Task[..., Any]) -> str:
    """That of the task, as far as a TaskSpec may have it."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", task.name).lstrip("_.-")[:_LONGEST] or "task"


def _target(task: Task[..., Any]) -> str:
    """The registered name stays when its function moves; but some are none for a target."""
    name = task.registered_name
    return task.module_path if name is None or re.search(r"[\s:/]", name) else name
