"""How ``manage.py tasks`` ends, for scripts."""

from collections.abc import Iterable
from enum import IntEnum

from django.core.management.base import CommandError

from tasks.models import TaskRun
from tasks.states import RunStatus

__all__ = ["Exit", "failure", "outcome", "worst"]


class Exit(IntEnum):
    """Of several runs, the highest code counts."""

    DONE = 0
    ERROR = 1  # the database, or the settings
    USAGE = 2  # the command line, a task's name, its arguments, a document
    NO_SUCH_RUN = 3
    FAILED = 4  # the run is FAILED
    CANCELLED = 5  # the run is CANCELLED
    TIMEOUT = 6  # it has not finished in time, and goes on
    REFUSED = 7  # the run is not in a state for this
    INTERRUPTED = 130  # Ctrl-C; nothing was changed
    PIPE_CLOSED = 141  # who read the output has gone


def failure(code: Exit, message: str) -> CommandError:
    """To be raised: the message goes to stderr."""
    return CommandError(message, returncode=int(code))


def outcome(run: TaskRun) -> Exit:
    """Of a finished run."""
    match run.status:
        case RunStatus.FAILED:
            return Exit.FAILED
        case RunStatus.CANCELLED:
            return Exit.CANCELLED
    return Exit.DONE


def worst(codes: Iterable[Exit]) -> Exit:
    return max(codes, default=Exit.DONE)
