"""Every task this process knows, by module path and by registered name."""

import inspect
from typing import TYPE_CHECKING, Any, cast

from django.utils.module_loading import import_string

from tasks.compat import Task as DjangoTask
from tasks.exceptions import UnknownTask

if TYPE_CHECKING:
    from tasks.task import Task

__all__ = ["find", "known", "register", "resolve"]

_tasks: dict[str, "Task[..., Any]"] = {}
_UNLISTED = ("tasks.pipelines.", "tasks.specs.")
# What a function's module was made from when the task became known: importlib.reload()
# gives the module another one, so that a function that comes again is not a second one.
_specs: dict[str, Any] = {}


def register(task: "Task[..., Any]") -> None:
    """Make *task* known. The first one of a function stays: ``using()`` makes copies.

    Those of pipelines and specs are not: what they execute is in their arguments, and who may
    enqueue a task by its name may be a stranger.

    ``ValueError`` if another function has the name already, naming both.
    """
    if task.module_path.startswith(_UNLISTED):
        return
    spec = getattr(task.func, "__globals__", {}).get("__spec__")
    for name in filter(None, (task.module_path, task.registered_name)):
        other = _tasks.setdefault(name, task)
        if other.func is task.func:
            _specs.setdefault(name, spec)
        elif other.module_path == task.module_path and _specs[name] is not spec:
            _tasks[name], _specs[name] = task, spec
        else:
            raise ValueError(f"Two tasks are named {name!r}: {_place(other)} and {_place(task)}.")


def _place(task: "Task[..., Any]") -> str:
    """A task's function, and where it stands."""
    code = getattr(inspect.unwrap(task.func), "__code__", None)
    where = f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""
    return f"{task.module_path}{where}"


def known() -> dict[str, "Task[..., Any]"]:
    """The tasks by module path."""
    return {task.module_path: task for task in _tasks.values()}


def find(name: str) -> "Task[..., Any]":
    """The task registered under *name*; :class:`UnknownTask` if there is none.

    Imports nothing: the name may come from a stranger.
    """
    try:
        return _tasks[name]
    except KeyError:
        raise UnknownTask(f"No task is registered as {name!r}.") from None


def resolve(module_path: str) -> "Task[..., Any]":
    """The task of a stored run, imported if its module has not been yet.

    A module path in the database was written by :meth:`Task.enqueue`, not by a visitor.
    """
    try:
        return find(module_path)
    except UnknownTask:
        pass
    try:
        found = import_string(module_path)
    except ImportError as error:
        raise UnknownTask(f"The task {module_path!r} cannot be imported: {error}") from error
    if not isinstance(found, DjangoTask):
        raise UnknownTask(f"{module_path!r} is no task, but {type(found).__name__}.")
    return cast("Task[..., Any]", found)
