"""The backend that Django's Tasks framework enqueues to, named in ``settings.TASKS``."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.conf import settings

from tasks.compat import BaseTaskBackend, InvalidTask, TaskResult, task_enqueued
from tasks.compat import Task as DjangoTask
from tasks.options import Options
from tasks.task import Task

if TYPE_CHECKING:
    from tasks.handles import Handle

__all__ = ["PATH", "HeadwayBackend", "default_alias"]

PATH = "tasks.backend.HeadwayBackend"

Calls = Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]]


def default_alias() -> str:
    """The alias of the first backend in ``TASKS`` that is Headway's, else ``default``."""
    configured = getattr(settings, "TASKS", {})
    return next((a for a, given in configured.items() if given.get("BACKEND") == PATH), "default")


class HeadwayBackend(BaseTaskBackend):
    """Stores runs in the application's database; the supervisor executes them.

    Holds no state: Django makes a backend for every thread.
    """

    task_class = Task
    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True

    def validate_task(self, task: DjangoTask) -> None:  # type: ignore[type-arg]
        super().validate_task(task)
        timeout = getattr(task, "timeout", None)
        if timeout is not None and not (isinstance(timeout, int | float) and timeout > 0):
            raise InvalidTask(f"timeout must be a number of seconds above 0, not {timeout!r}.")
        attempts = getattr(task, "max_attempts", None)
        if attempts is not None and not (isinstance(attempts, int) and attempts >= 1):
            raise InvalidTask(f"max_attempts must be a whole number from 1, not {attempts!r}.")
        try:
            Options.of(task).resolved(task.func)
        except ValueError as error:
            raise InvalidTask(str(error)) from None

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        return self.enqueue_many(task, [(tuple(args), kwargs)])[0]

    async def aenqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        return (await self.aenqueue_many(task, [(tuple(args), kwargs)]))[0]

    def enqueue_many(self, task: Any, calls: Calls) -> "list[Handle]":
        from tasks.enqueueing import store_runs

        self.validate_task(task)
        handles = store_runs(task, calls)
        for handle in handles:
            task_enqueued.send(type(self), task_result=handle)
        return handles

    async def aenqueue_many(self, task: Any, calls: Calls) -> "list[Handle]":
        # Thread-sensitive: under an atomic() block of a sync caller this must be the
        # caller's own connection, or the run would be visible before the commit.
        return await sync_to_async(self.enqueue_many, thread_sensitive=True)(task, calls)

    def get_result(self, result_id: str) -> TaskResult:  # type: ignore[type-arg]
        from tasks.handles import get_handle

        return get_handle(result_id)

    async def aget_result(self, result_id: str) -> TaskResult:  # type: ignore[type-arg]
        return await sync_to_async(self.get_result, thread_sensitive=True)(result_id)
