"""What one step adds to a pipeline's log."""

from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from tasks.codec import encode
from tasks.conf import conf
from tasks.engine import control, store
from tasks.engine.attempts.endings import End, conclude
from tasks.engine.news import waiting
from tasks.engine.store import Change, RunWrite
from tasks.events import (
    PROGRESS,
    STAGE_FINISHED,
    STAGE_SKIPPED,
    STAGE_STARTED,
    STOPPING,
    Event,
)
from tasks.models import TaskRun

__all__ = ["Entry"]


class Entry:
    """Events of a pipeline that its transaction writes, told when that is committed."""

    def __init__(self, run: TaskRun, total: int) -> None:
        self._run = run
        self._total = total
        self._events: list[Event] = []
        self._progress: str | None = None
        self._change: Change | None = None

    def started(self, stage: str, run_id: UUID) -> None:
        self._add(STAGE_STARTED, {"stage": stage, "run": str(run_id)})

    def finished(self, stage: str, run: str | None, status: str, error: Any, done: int) -> None:
        """*done* stages have ended by now."""
        data = {"stage": stage, "run": run, "status": str(status), "error": error}
        self._add(STAGE_FINISHED, data)
        self._progress = self._add(PROGRESS, {"done": done, "total": self._total, "message": stage})

    def skipped(self, stage: str) -> None:
        self._add(STAGE_SKIPPED, {"stage": stage})

    def stopping(self, request: str) -> None:
        self._add(STOPPING, {"request": request})

    def end(self, end: End) -> None:
        event, self._change = conclude(end, seq=self._next, attempt=1, max_attempts=1)
        self._events.append(event)

    def write(self) -> None:
        """Write it, if there is anything, in the transaction that has locked the run."""
        if not self._events:
            return
        write = RunWrite(self._run.pk, self._run.fence, self._events, self._progress, self._change)
        store.write_resting(write)
        transaction.on_commit(partial(_tell, write), using=conf().database)

    @property
    def _next(self) -> int:
        return self._run.last_seq + len(self._events) + 1

    def _add(self, type_: str, data: dict[str, Any]) -> str:
        event = Event(self._next, type_, datetime.now(UTC), encode(data))
        self._events.append(event)
        return event.data


def _tell(write: RunWrite) -> None:
    if (workforce := control.running()) is not None:
        workforce.call(partial(workforce.announce, write))
    if write.change is not None:
        waiting.notify(write.run_id)
