"""A handle: what ``enqueue`` returns, to ask about a run, wait for it, and end it."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, cast
from uuid import UUID

from asgiref.sync import sync_to_async

from tasks import grants
from tasks.compat import TaskError, TaskResult
from tasks.definition import registry
from tasks.engine import control, store
from tasks.exceptions import RunFinished, RunNotFinished
from tasks.handles import following, outcome
from tasks.handles.following import RunEvent
from tasks.handles.result import RunError, RunResult
from tasks.ids import parse_run_id
from tasks.models import TaskRun
from tasks.states import TERMINAL, CancelRequest, RunStatus
from tasks.surroundings import circumstances
from tasks.task import Task

__all__ = ["Handle", "get_handle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle(TaskResult):  # type: ignore[type-arg, misc]
    """A run as it was when last read; ``refresh()`` reads it again.

    It is the framework's ``TaskResult`` with more: ``status`` may also be CANCELLED.
    """

    status: RunStatus  # type: ignore[assignment]
    #: What ended the newest attempt that failed, or None.
    error: RunError | None = None
    #: Data of the newest progress event, or None.
    progress: Any = None
    metadata: dict[str, Any] = field(default_factory=dict)
    #: Number of the newest event in the run's log.
    last_seq: int = 1
    #: ``"stop"`` or ``"kill"`` from when that was asked until the run has really ended.
    stopping: str | None = None
    #: It was asked to stop, and went on for the whole grace period; ``kill()`` ends it.
    stop_ignored: bool = False
    #: A grant made before the latest time holds no more.
    grants_revoked: int = 0

    @classmethod
    def of_run(cls, run: TaskRun) -> "Handle":
        handle: Handle = cls(
            task=registry.resolve(run.task),
            id=str(run.id),
            status=RunStatus(run.status),
            enqueued_at=run.enqueued_at,
            started_at=run.started_at,
            finished_at=run.finished_at,
            last_attempted_at=run.last_attempted_at,
            args=run.args,
            kwargs=run.kwargs,
            backend=run.backend,
            errors=[
                TaskError(exception_class_path=error["type"], traceback=error["traceback"])
                for error in run.errors
            ],
            worker_ids=run.worker_ids,
            error=RunError.of(run.errors[-1]) if run.errors else None,
            progress=run.progress,
            metadata=run.metadata,
            last_seq=run.last_seq,
            stopping=run.stopping,
            stop_ignored=run.stop_ignored,
            grants_revoked=run.grants_revoked,
        )
        object.__setattr__(handle, "_return_value", run.return_value)
        return handle

    @property
    def name(self) -> str:
        """Of the task."""
        return self.task.name

    @property
    def run_id(self) -> UUID:
        return UUID(self.id)

    @property
    def is_finished(self) -> bool:
        return self.status in TERMINAL

    @property
    def return_value(self) -> Any:
        """What the task returned; ``ValueError`` unless the run is SUCCESSFUL."""
        if self.status == RunStatus.SUCCESSFUL:
            return self._return_value  # type: ignore[attr-defined]
        if self.is_finished:
            raise ValueError(f"The run is {self.status} and has no return value.")
        raise ValueError("The run has not finished yet: wait() for it, or refresh().")

    def refresh(self) -> None:
        """Read the run again; :class:`RunDoesNotExist` if it is gone."""
        read = Handle.of_run(store.fetch_run(self.run_id))
        for name in _READ:
            object.__setattr__(self, name, getattr(read, name))

    async def arefresh(self) -> None:
        """See :meth:`refresh`."""
        await sync_to_async(self.refresh, thread_sensitive=True)()

    def wait(self, timeout: float | None = None) -> Any:
        """Block until the run has finished, and give what the task returned.

        Raises ``TimeoutError`` after *timeout* seconds (the run goes on),
        :class:`TaskFailed` (also where the task took longer than *its* timeout) or
        :class:`RunCancelled`. Waiting in a transaction that enqueued the run waits for
        ever: nothing starts before the commit.
        """
        outcome.finish(self, timeout)
        return outcome.value_of(self)

    async def await_result(self, timeout: float | None = None) -> Any:
        """See :meth:`wait`."""
        await outcome.afinish(self, timeout)
        return outcome.value_of(self)

    def result(self, timeout: float | None = None) -> RunResult:
        """Block until the run has finished, and give how, whatever that is.

        ``TimeoutError`` after *timeout* seconds; then the run goes on.
        """
        outcome.finish(self, timeout)
        return outcome.result_of(self)

    async def aresult(self, timeout: float | None = None) -> RunResult:
        """See :meth:`result`."""
        await outcome.afinish(self, timeout)
        return outcome.result_of(self)

    def events(self, *, follow: bool = False, after: int = 0) -> Iterator[RunEvent]:
        """The run's log above seq *after*: what there is, or with *follow* all to the end.

        Each event once and in order. :class:`RunDoesNotExist` once the run is gone.
        """
        following.check_after(after)
        return (following.follow if follow else following.read)(self.run_id, after)

    def aevents(self, *, follow: bool = False, after: int = 0) -> AsyncIterator[RunEvent]:
        """See :meth:`events`; for ``async for``."""
        following.check_after(after)
        return (following.afollow if follow else following.aread)(self.run_id, after)

    def watchers(self) -> int:
        """How many watch the run in all processes, as of a few seconds ago. It queries."""
        return store.audience([self.run_id]).get(self.run_id, 0)

    async def awatchers(self) -> int:
        """See :meth:`watchers`."""
        return await sync_to_async(self.watchers, thread_sensitive=True)()

    def stop(self) -> bool:
        """Ask the run to end: its coroutine is cancelled, a sync function sees its token.

        True; :class:`RunFinished` if it has ended already.
        """
        return self._cancel(CancelRequest.STOP)

    async def astop(self) -> bool:
        """See :meth:`stop`."""
        return await sync_to_async(self.stop, thread_sensitive=True)()

    def kill(self) -> bool:
        """End the run without waiting for its code.

        True; :class:`RunFinished` if it has ended already.
        """
        return self._cancel(CancelRequest.KILL)

    async def akill(self) -> bool:
        """See :meth:`kill`."""
        return await sync_to_async(self.kill, thread_sensitive=True)()

    def send(self, data: Any) -> None:
        """Send a value that JSON can carry to the run, which has it from ``context.receive()``.

        It is stored, so a run may be sent to before it starts, and each attempt receives all
        from the first. Raises :class:`RunFinished`, :class:`InboxFull` or :class:`InvalidValue`.
        """
        control.send(self.run_id, data)

    async def asend(self, data: Any) -> None:
        """See :meth:`send`."""
        await sync_to_async(self.send, thread_sensitive=True)(data)

    def retry(self) -> "Handle":
        """Enqueue the same call as a new run: a finished log stays finished.

        With the options of this run; :class:`RunNotFinished` while it may still succeed.
        """
        run = store.fetch_run(self.run_id)
        if not run.is_finished:
            raise RunNotFinished(f"The run {self.id} is {run.status}: stop it, or wait for it.")
        again = self.task.using(queue_name=run.queue_name, priority=run.priority)
        if isinstance(again, Task):
            again = again.using(
                timeout=run.timeout,
                max_attempts=run.max_attempts,
                metadata=run.metadata,
                user=run.user,
                **run.options,
            )
        with circumstances.kept(run.context):
            return cast(Handle, again.enqueue(*self.args, **self.kwargs))

    async def aretry(self) -> "Handle":
        """See :meth:`retry`."""
        return await sync_to_async(self.retry, thread_sensitive=True)()

    def grant(self, action: str = "stream", *, lifetime: float | None = None) -> str:
        """A signed text: whoever has it may ``view``, ``stream`` or ``stop`` the run.

        For *lifetime* seconds, ``HEADWAY["GRANT"]`` by default and ``HEADWAY["GRANT_MAX"]``
        at most; ``ValueError`` for more. It needs no database.
        """
        return grants.make(self.run_id, action, self.grants_revoked, lifetime)

    def revoke_grants(self) -> None:
        """End all grants of the run that were made until now; their streams close."""
        object.__setattr__(self, "grants_revoked", store.revoke_grants(self.run_id))

    async def arevoke_grants(self) -> None:
        """See :meth:`revoke_grants`."""
        await sync_to_async(self.revoke_grants, thread_sensitive=True)()

    def _cancel(self, request: CancelRequest) -> bool:
        if not control.request_cancel(self.run_id, request):
            raise RunFinished(f"The run {self.id} has finished: there is nothing to {request}.")
        return True


# All but the task, which knows with which options it was enqueued.
_READ = {item.name for item in fields(Handle)} - {"task"} | {"_return_value"}


def get_handle(run_id: UUID | str) -> "Handle":
    """The handle of a run; :class:`RunDoesNotExist` or :class:`MalformedRunId`."""
    return Handle.of_run(store.fetch_run(parse_run_id(run_id)))
