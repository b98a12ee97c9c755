"""What needs neither a task nor a handle at hand: a task by its name, a run by its id."""

from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async

from tasks.definition import registry

if TYPE_CHECKING:
    from uuid import UUID

    from tasks.handles import Handle

__all__ = ["aenqueue", "aget_handle", "enqueue", "get_handle"]


def get_handle(run_id: "UUID | str") -> "Handle":
    """The handle of a run; :class:`RunDoesNotExist` or :class:`MalformedRunId`."""
    # Handles read models, which may be imported only once apps are ready.
    from tasks import handles

    return handles.get_handle(run_id)


async def aget_handle(run_id: "UUID | str") -> "Handle":
    """See :func:`get_handle`."""
    return await sync_to_async(get_handle)(run_id)


def enqueue(name: str, /, *args: Any, **kwargs: Any) -> "Handle":
    """Enqueue the task registered under *name*; see :meth:`Task.enqueue`."""
    return registry.find(name).enqueue(*args, **kwargs)


async def aenqueue(name: str, /, *args: Any, **kwargs: Any) -> "Handle":
    """Enqueue the task registered under *name*; see :meth:`Task.aenqueue`."""
    return await registry.find(name).aenqueue(*args, **kwargs)
