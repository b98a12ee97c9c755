"""Waiting for the end of a run, and telling of it."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from tasks.engine.news import waiting
from tasks.exceptions import RunCancelled, TaskFailed
from tasks.handles.result import RunResult
from tasks.states import RunStatus

if TYPE_CHECKING:
    from tasks.handles.handle import Handle

__all__ = ["afinish", "finish", "result_of", "value_of"]


def finish(handle: "Handle", timeout: float | None) -> None:
    """Block until the run has finished; ``TimeoutError`` after *timeout* seconds.

    What has finished stays so: a handle that says it asks nobody.
    """
    if _is_over(handle):
        return
    with waiting.watching(handle.run_id) as signal:
        for _ in signal.blocking(timeout):
            handle.refresh()
            if _is_over(handle):
                return


async def afinish(handle: "Handle", timeout: float | None) -> None:
    """See :func:`finish`."""
    if _is_over(handle):
        return
    with waiting.watching(handle.run_id) as signal:
        async for _ in signal.waiting(timeout):
            await handle.arefresh()
            if _is_over(handle):
                return


def _is_over(handle: "Handle") -> bool:
    return handle.is_finished  # in a function: a type checker would hold it to be constant


def result_of(handle: "Handle") -> RunResult:
    """How a finished run ended."""
    succeeded = handle.status == RunStatus.SUCCESSFUL
    return RunResult(
        status=handle.status,
        value=handle.return_value if succeeded else None,
        error=None if succeeded else handle.error,
        enqueued_at=cast(datetime, handle.enqueued_at),
        started_at=handle.started_at,
        finished_at=cast(datetime, handle.finished_at),
    )


def value_of(handle: "Handle") -> Any:
    """What the task of a finished run returned; :class:`TaskFailed`, :class:`RunCancelled`."""
    if handle.status == RunStatus.SUCCESSFUL:
        return handle.return_value
    newest = handle.errors[-1] if handle.errors else None
    reason = newest.traceback.strip().rsplit("\n", 1)[-1] if newest else str(handle.status)
    if handle.status == RunStatus.CANCELLED:
        raise RunCancelled(f"The run {handle.id} was cancelled: {reason}")
    raise TaskFailed(f"The run {handle.id} of {handle.name} failed: {reason}")
