"""Seeing what is enqueued, without storing or executing it."""

import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connections, transaction

from tasks.codec import decode
from tasks.conf import conf
from tasks.engine.store import NewRun
from tasks.handles import Handle, enqueueing
from tasks.handles.enqueueing import new_handle
from tasks.task import Task
from tasks.testing.calls import expect, expect_none

__all__ = ["CapturedRun", "CapturedRuns", "capture_runs"]


class _Kept:
    """What Django drops, uncalled, when the transaction is rolled back."""

    def __call__(self) -> None:
        pass


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedRun:
    """One enqueue."""

    #: With the options of this enqueue: ``run.task.priority``.
    task: Task[..., Any]
    args: list[Any]
    kwargs: dict[str, Any]
    #: READY for ever: no row stands behind it.
    handle: Handle
    _kept: "weakref.ref[_Kept] | None" = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return self.task.name

    @property
    def rolled_back(self) -> bool:
        """Whether its transaction was rolled back, so that there would be no run."""
        return self._kept is not None and self._kept() is None


class CapturedRuns(Sequence[CapturedRun]):
    """What has been enqueued so far, in order, without what a rollback has taken back."""

    def __init__(self) -> None:
        self._all: list[CapturedRun] = []
        self._committed: list[_Kept] = []

    def __getitem__(self, at: Any) -> Any:
        return self._present()[at]

    def __len__(self) -> int:
        return len(self._present())

    def __iter__(self) -> Iterator[CapturedRun]:
        return iter(self._present())

    def __repr__(self) -> str:
        return repr(self._present())

    def of(self, task: Task[..., Any]) -> list[CapturedRun]:
        """The runs of *task*."""
        return [run for run in self if run.task.module_path == task.module_path]

    def assert_enqueued(self, task: Task[..., Any], *args: Any, **kwargs: Any) -> CapturedRun:
        """The first run of *task* with this call; without arguments, with whatever call.

        ``AssertionError`` if there is none. ``f(1)`` and ``f(a=1)`` are the same call.
        """
        return expect(self, task, args, kwargs)

    def assert_not_enqueued(self, task: Task[..., Any], *args: Any, **kwargs: Any) -> None:
        """``AssertionError`` if :meth:`assert_enqueued` would find a run."""
        expect_none(self, task, args, kwargs)

    def _present(self) -> list[CapturedRun]:
        return [run for run in self._all if not run.rolled_back]

    def _take(self, task: Any, runs: list[NewRun]) -> list[Handle]:
        key = getattr(task, "unique_key", None)
        for run in self._present() if key else ():
            if run.task.unique_key == key:
                return [run.handle]
        taken = [
            CapturedRun(
                task=task,
                args=decode(run.args),
                kwargs=decode(run.kwargs),
                handle=new_handle(task, run),
                _kept=self._keep(),
            )
            for run in runs
        ]
        self._all += taken
        return [run.handle for run in taken]

    def _keep(self) -> "weakref.ref[_Kept] | None":
        alias = conf().database
        if not connections[alias].in_atomic_block:
            return None
        kept = _Kept()
        transaction.on_commit(lambda: self._committed.append(kept), using=alias)
        return weakref.ref(kept)


@contextmanager
def capture_runs() -> Iterator[CapturedRuns]:
    """Collect what is enqueued while the block lasts, in all threads. It needs no database.

    Arguments and options are checked, bound and serialised as ever, and handles are
    returned; nothing is stored, so a handle can be neither refreshed nor waited for.
    """
    captured, before = CapturedRuns(), enqueueing.capture
    enqueueing.capture = captured._take
    try:
        yield captured
    finally:
        enqueueing.capture = before
