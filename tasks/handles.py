"""A handle: what ``enqueue`` returns, to ask about a run, wait for it, and end it."""

from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from asgiref.sync import sync_to_async

from tasks import grants, registry
from tasks.compat import TaskError, TaskResult
from tasks.engine import control, store, waiting
from tasks.exceptions import RunCancelled, TaskFailed
from tasks.ids import parse_run_id
from tasks.models import TaskRun
from tasks.states import TERMINAL, CancelRequest, RunStatus
from tasks.task import Task

__all__ = ["Handle", "get_handle"]

_REFRESHED = (
    "status",
    "started_at",
    "finished_at",
    "last_attempted_at",
    "errors",
    "worker_ids",
    "progress",
    "metadata",
    "last_seq",
    "stopping",
    "stop_ignored",
    "grants_revoked",
    "_return_value",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle(TaskResult):  # type: ignore[type-arg, misc]
    """A run as it was when last read; ``refresh()`` reads it again.

    It is the framework's ``TaskResult`` with more: ``status`` may also be CANCELLED.
    """

    status: RunStatus  # type: ignore[assignment]
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
        for name in _REFRESHED:
            object.__setattr__(self, name, getattr(read, name))

    async def arefresh(self) -> None:
        """See :meth:`refresh`."""
        await sync_to_async(self.refresh, thread_sensitive=True)()

    def wait(self, timeout: float | None = None) -> Any:
        """Block until the run has finished, and give what the task returned.

        Raises ``TimeoutError`` after *timeout* seconds (the run goes on),
        :class:`TaskFailed` or :class:`RunCancelled`. Waiting in a transaction that
        enqueued the run waits for ever: nothing starts before the commit.
        """
        with waiting.finished(self.run_id) as signal:
            for _ in signal.blocking(timeout):
                self.refresh()
                if self.is_finished:
                    break
        return self._outcome()

    async def await_result(self, timeout: float | None = None) -> Any:
        """See :meth:`wait`."""
        with waiting.finished(self.run_id) as signal:
            async for _ in signal.waiting(timeout):
                await self.arefresh()
                if self.is_finished:
                    break
        return self._outcome()

    def watchers(self) -> int:
        """How many watch the run in all processes, as of a few seconds ago. It queries."""
        return store.audience([self.run_id]).get(self.run_id, 0)

    async def awatchers(self) -> int:
        """See :meth:`watchers`."""
        return await sync_to_async(self.watchers, thread_sensitive=True)()

    def stop(self) -> bool:
        """Ask the run to end: its coroutine is cancelled, a sync function sees its token.

        False if it had finished already.
        """
        return control.request_cancel(self.run_id, CancelRequest.STOP)

    async def astop(self) -> bool:
        """See :meth:`stop`."""
        return await sync_to_async(self.stop, thread_sensitive=True)()

    def kill(self) -> bool:
        """End the run without waiting for its code; False if it had finished already."""
        return control.request_cancel(self.run_id, CancelRequest.KILL)

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
        """Enqueue the same call as a new run: a finished log stays finished."""
        run = store.fetch_run(self.run_id)
        again = self.task.using(queue_name=run.queue_name, priority=run.priority)
        if isinstance(again, Task):
            again = again.using(
                timeout=run.timeout,
                max_attempts=run.max_attempts,
                metadata=run.metadata,
                user=run.user,
                **run.options,
            )
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

    def _outcome(self) -> Any:
        if self.status == RunStatus.SUCCESSFUL:
            return self._return_value  # type: ignore[attr-defined]
        newest = self.errors[-1] if self.errors else None
        reason = newest.traceback.strip().rsplit("\n", 1)[-1] if newest else str(self.status)
        if self.status == RunStatus.CANCELLED:
            raise RunCancelled(f"The run {self.id} was cancelled: {reason}")
        raise TaskFailed(f"The run {self.id} of {self.task.name} failed: {reason}")


def get_handle(run_id: UUID | str) -> "Handle":
    """The handle of a run; :class:`RunDoesNotExist` or :class:`MalformedRunId`."""
    return Handle.of_run(store.fetch_run(parse_run_id(run_id)))
