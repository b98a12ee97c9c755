"""Enqueueing what has been resolved: now, or when the transaction commits."""

from contextlib import suppress

from tasks.exceptions import InvalidArguments, RunCancelled, TaskFailed
from tasks.handles import Handle
from tasks.handles.deferred import DeferredHandle
from tasks.specs.resolving import Resolved

__all__ = ["await_end", "refuse_wait", "send", "send_on_commit", "wait_for_end"]


def send(call: Resolved) -> Handle:
    """Store the run."""
    return call.chosen.enqueue(*call.args, **call.kwargs)


def wait_for_end(handle: Handle, timeout: float | None) -> Handle:
    """*handle* when its run has ended, however. ``TimeoutError`` after *timeout* seconds."""
    with suppress(TaskFailed, RunCancelled):  # it tells so
        handle.wait(timeout)
    return handle


async def await_end(handle: Handle, timeout: float | None) -> Handle:
    """See :func:`wait_for_end`."""
    with suppress(TaskFailed, RunCancelled):
        await handle.await_result(timeout)
    return handle


def send_on_commit(call: Resolved, using: str, wait: bool) -> DeferredHandle:
    """Store the run when the transaction of the database *using* commits."""
    refuse_wait(wait)
    return call.chosen.enqueue_on_commit(*call.args, using=using, **call.kwargs)


def refuse_wait(wait: bool) -> None:
    """What is enqueued with a commit cannot be waited for before it."""
    if wait:
        raise InvalidArguments(
            "wait=True is for what is enqueued at once: before the commit there is no run to wait"
            " for. Use wait() of the handle after it."
        )
