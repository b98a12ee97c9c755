"""Every task this process knows, by module path and by registered name."""

from typing import TYPE_CHECKING, Any, cast

from django.utils.module_loading import import_string

from tasks.compat import Task as DjangoTask
from tasks.exceptions import UnknownTask

if TYPE_CHECKING:
    from uuid import UUID

    from tasks.handles import Handle
    from tasks.task import Task

__all__ = ["aenqueue", "enqueue", "find", "get_handle", "known", "register", "resolve"]

_tasks: dict[str, "Task[..., Any]"] = {}
_UNLISTED = ("tasks.pipelines.", "tasks.specs.")


def register(task: "Task[..., Any]") -> None:
    """Make *task* known. The first one of a function stays: ``using()`` makes copies.

    Those of pipelines and specs are not: what they execute is in their arguments, and who may
    enqueue a task by its name may be a stranger.

    ``ValueError`` if another function has the name already, naming both.
    """
    if task.module_path.startswith(_UNLISTED):
        return
    for name in filter(None, (task.module_path, task.registered_name)):
        other = _tasks.setdefault(name, task)
        if other.module_path != task.module_path:
            raise ValueError(
                f"Two tasks are named {name!r}: {other.module_path} and {task.module_path}."
            )


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


def get_handle(run_id: "UUID | str") -> "Handle":
    """The handle of a run; :class:`RunDoesNotExist` or :class:`MalformedRunId`."""
    # Handles read models, which may be imported only once apps are ready.
    from tasks import handles

    return handles.get_handle(run_id)


def enqueue(name: str, *args: Any, **kwargs: Any) -> "Handle":
    """Enqueue the task registered under *name*; see :meth:`Task.enqueue`."""
    return find(name).enqueue(*args, **kwargs)


async def aenqueue(name: str, *args: Any, **kwargs: Any) -> "Handle":
    """Enqueue the task registered under *name*; see :meth:`Task.aenqueue`."""
    return await find(name).aenqueue(*args, **kwargs)
