"""How a run ended, as whoever waited for it is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tasks.states import RunStatus

__all__ = ["RunError", "RunResult"]


@dataclass(frozen=True, slots=True)
class RunError:
    """What ended the newest attempt."""

    #: Import path of the exception.
    type: str
    message: str
    traceback: str

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "RunError":
        """From an entry of ``TaskRun.errors``."""
        return cls(kept["type"], kept["message"], kept["traceback"])


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """The end of a run. A value is what JSON made of it, and nothing else."""

    status: RunStatus
    #: What the task returned; None unless SUCCESSFUL.
    value: Any
    #: Why it is FAILED or CANCELLED; None if SUCCESSFUL.
    error: RunError | None
    enqueued_at: datetime
    #: Of the first attempt; None if there was none.
    started_at: datetime | None
    finished_at: datetime
