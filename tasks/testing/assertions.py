"""What was enqueued, as the database has it."""

from typing import Any

from asgiref.sync import sync_to_async

from tasks.conf import conf
from tasks.handles import Handle
from tasks.models import TaskRun
from tasks.task import Task
from tasks.testing.calls import expect, expect_none

__all__ = [
    "aassert_enqueued",
    "aassert_not_enqueued",
    "assert_enqueued",
    "assert_not_enqueued",
]


def assert_enqueued(task: Task[..., Any], *args: Any, **kwargs: Any) -> Handle:
    """The oldest stored run of *task* with this call, whatever has become of it since.

    Without arguments, with whatever call. ``AssertionError`` if there is none. It sees what
    the current transaction has stored; inside ``capture_runs()`` nothing is.
    """
    return expect(_stored(), task, args, kwargs)


async def aassert_enqueued(task: Task[..., Any], *args: Any, **kwargs: Any) -> Handle:
    """See :func:`assert_enqueued`."""
    return await sync_to_async(assert_enqueued)(task, *args, **kwargs)


def assert_not_enqueued(task: Task[..., Any], *args: Any, **kwargs: Any) -> None:
    """``AssertionError`` if :func:`assert_enqueued` would find a run."""
    expect_none(_stored(), task, args, kwargs)


async def aassert_not_enqueued(task: Task[..., Any], *args: Any, **kwargs: Any) -> None:
    """See :func:`assert_not_enqueued`."""
    await sync_to_async(assert_not_enqueued)(task, *args, **kwargs)


def _stored() -> list[Handle]:
    return [Handle.of_run(run) for run in TaskRun.objects.using(conf().database).order_by("id")]
