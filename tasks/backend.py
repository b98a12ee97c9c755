"""The backend that Django's Tasks framework enqueues to, named in ``settings.TASKS``."""

from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async

from tasks.compat import BaseTaskBackend, InvalidTask, TaskResult, task_enqueued
from tasks.compat import Task as DjangoTask
from tasks.definition import taskoptions
from tasks.definition.options import Options
from tasks.task import Task

if TYPE_CHECKING:
    from tasks.handles import Handle
    from tasks.handles.deferred import DeferredHandle
    from tasks.handles.enqueueing import Calls, Payload

__all__ = ["HeadwayBackend"]


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
        for complaint in taskoptions.complaints(lambda name: getattr(task, name, None)):
            raise InvalidTask(complaint)
        super().validate_task(task)
        try:
            Options.of(task).resolved(task.func)
        except ValueError as error:
            raise InvalidTask(str(error)) from None

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        return self.enqueue_many(task, [(tuple(args), kwargs)])[0]

    async def aenqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        return (await self.aenqueue_many(task, [(tuple(args), kwargs)]))[0]

    def enqueue_many(self, task: Any, calls: "Calls") -> "list[Handle]":
        return self._store(task, self._bound(task, calls))

    async def aenqueue_many(self, task: Any, calls: "Calls") -> "list[Handle]":
        # The arguments are read before anything else can happen on the loop.
        payloads = self._bound(task, calls)
        # Thread-sensitive: under an atomic() block of a sync caller this must be the
        # caller's own connection, or the run would be visible before the commit.
        return await sync_to_async(self._store, thread_sensitive=True)(task, payloads)

    def enqueue_on_commit(self, task: Any, args: Any, kwargs: Any, using: str) -> "DeferredHandle":
        return self._defer(task, self._bound(task, [(args, kwargs)])[0], using)

    async def aenqueue_on_commit(
        self, task: Any, args: Any, kwargs: Any, using: str
    ) -> "DeferredHandle":
        [payload] = self._bound(task, [(args, kwargs)])
        return await sync_to_async(self._defer, thread_sensitive=True)(task, payload, using)

    def _bound(self, task: Any, calls: "Calls") -> "list[Payload]":
        from tasks.handles.enqueueing import bound

        self.validate_task(task)
        return bound(task, calls)

    def _store(self, task: Any, payloads: "list[Payload]") -> "list[Handle]":
        from tasks.handles.enqueueing import store_runs

        handles = store_runs(task, payloads)
        for handle in handles:
            self._tell(handle)
        return handles

    def _defer(self, task: Any, payload: "Payload", using: str) -> "DeferredHandle":
        from tasks.handles.enqueueing import store_on_commit

        return store_on_commit(task, payload, using, self._tell)

    def _tell(self, handle: "Handle") -> None:
        task_enqueued.send(type(self), task_result=handle)

    def get_result(self, result_id: str) -> TaskResult:  # type: ignore[type-arg]
        from tasks.handles import get_handle

        return get_handle(result_id)

    async def aget_result(self, result_id: str) -> TaskResult:  # type: ignore[type-arg]
        return await sync_to_async(self.get_result, thread_sensitive=True)(result_id)
