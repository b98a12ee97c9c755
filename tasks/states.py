"""The states of a run, and which state follows an attempt: pure functions, no I/O."""

import random
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import TextChoices

__all__ = [
    "TERMINAL",
    "CancelRequest",
    "Ending",
    "Next",
    "RunStatus",
    "backoff",
    "next_status",
]


class RunStatus(TextChoices):
    """A run's state. The first four are those of Django's ``TaskResultStatus``."""

    READY = "READY"
    RUNNING = "RUNNING"
    SUCCESSFUL = "SUCCESSFUL"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


TERMINAL = frozenset({RunStatus.SUCCESSFUL, RunStatus.FAILED, RunStatus.CANCELLED})


class CancelRequest(TextChoices):
    """What an operator asked of a run. ``kill`` overrides ``stop``, never the reverse."""

    NONE = ""
    STOP = "stop"
    KILL = "kill"


class Ending(StrEnum):
    """How one attempt ended, before anything is decided about the run."""

    RETURNED = "returned"
    RAISED = "raised"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"  # stop or kill
    DRAINED = "drained"  # the process is going away; not the run's fault
    LOST = "lost"  # the lease is another's: nothing may be written
    RESTING = "resting"  # the run goes on, and no process has it: a pipeline's stages do


@dataclass(frozen=True, slots=True)
class Next:
    """What becomes of the run: its status and, where it is tried again, after how long."""

    status: RunStatus
    delay: float = 0.0  # seconds
    counted: bool = True  # whether the attempt is used up


def next_status(ending: Ending, attempt: int, max_attempts: int, delay: float = 0.0) -> Next:
    """Decide what follows an attempt. *delay* (seconds) applies if it is tried again."""
    match ending:
        case Ending.RETURNED:
            return Next(RunStatus.SUCCESSFUL)
        case Ending.CANCELLED:
            return Next(RunStatus.CANCELLED)
        case Ending.RESTING:
            return Next(RunStatus.RUNNING)
        case Ending.DRAINED:
            return Next(RunStatus.READY, counted=False)
        case Ending.RAISED | Ending.TIMED_OUT | Ending.LOST if attempt >= max_attempts:
            return Next(RunStatus.FAILED)
        case Ending.LOST:
            # Its watchers have waited for the lease already.
            return Next(RunStatus.READY)
        case Ending.RAISED | Ending.TIMED_OUT:
            return Next(RunStatus.READY, delay=delay)


def backoff(attempt: int, base: float, ceiling: float) -> float:
    """Seconds to wait after failed attempt number *attempt* (1, 2, …).

    Exponential with full jitter in the upper half: between half of and all of
    ``base * 2 ** (attempt - 1)``, never above *ceiling*. The jitter keeps runs that
    failed together from coming back together.
    """
    # An attempt number is unbounded, a float is not: 2.0 ** 1024 would overflow.
    full = min(ceiling, base * 2.0 ** min(attempt - 1, 64))
    return full * random.uniform(0.5, 1.0)
