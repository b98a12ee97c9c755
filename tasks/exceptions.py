"""Everything Headway raises, by who is to blame.

::

    HeadwayError
    ├── InvalidArguments       the caller: arguments do not fit the task's signature
    ├── InvalidValue           the caller: a value JSON cannot carry unchanged
    ├── InvalidSpec            the caller: a TaskSpec or pipeline that cannot be
    ├── SpecNotFound           the caller: no TaskSpec or pipeline has this name
    ├── InvalidOption          the caller: a task has no option of this name
    ├── InvalidGrant           the caller: this is no grant of ours
    ├── InvalidEvent           the task: a bad event type, or an event too large
    ├── NotInRun               the caller: a StreamTask sends while it is executed
    ├── UnknownTask            the caller: no task is registered under this name
    ├── UnknownModel           the caller: no StreamTask has this name
    │   └── AmbiguousModel     the caller: several apps have one
    ├── RunDoesNotExist        the caller: no run has this id
    │   └── MalformedRunId     the caller: this is no run id at all
    ├── RunFinished            the caller is late: there is nothing left to stop or to send to
    ├── RunNotFinished         the caller: only what has finished can be done again
    ├── NotCommitted           the caller: the run is not there before the commit
    ├── RolledBack             the caller: the run went with its transaction
    ├── TaskTimeout            the task: it ran longer than it may
    ├── TaskFailed             the task: it raised; the errors are on the handle
    │   ├── TaskRaised         the task: it raised in a process of its own
    │   ├── CommandFailed      the task: its command could not start, or ended with an error
    │   └── ProcessDied        the task or the system: its process ended without an answer
    │       └── LimitExceeded  the task: it used more than memory_mb or cpu_seconds
    ├── RunCancelled           an operator: the run was stopped or killed
    ├── RunLost                the process: it died, or lost its lease, with the run
    ├── InboxFull              the caller: the run was sent too much
    └── SupervisorStopped      the caller is late: this process takes no more work

An exception's docstring is its default message.
"""

import inspect

from tasks.compat import TaskResultDoesNotExist

__all__ = [
    "AmbiguousModel",
    "CommandFailed",
    "HeadwayError",
    "InboxFull",
    "InvalidArguments",
    "InvalidEvent",
    "InvalidGrant",
    "InvalidOption",
    "InvalidSpec",
    "InvalidValue",
    "LimitExceeded",
    "MalformedRunId",
    "NotCommitted",
    "NotInRun",
    "ProcessDied",
    "RolledBack",
    "RunCancelled",
    "RunDoesNotExist",
    "RunFinished",
    "RunLost",
    "RunNotFinished",
    "SpecNotFound",
    "SupervisorStopped",
    "TaskFailed",
    "TaskRaised",
    "TaskTimeout",
    "UnknownModel",
    "UnknownTask",
]


class HeadwayError(Exception):
    """Headway could not do what was asked."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or inspect.getdoc(type(self)))


class InvalidArguments(HeadwayError, TypeError):
    """The arguments do not fit the task's signature."""


class InvalidValue(HeadwayError, TypeError):
    """The value cannot be carried as JSON unchanged."""


class InvalidSpec(HeadwayError, ValueError):
    """The TaskSpec or pipeline cannot be executed; the message names the path in it."""


class SpecNotFound(HeadwayError, LookupError):
    """No TaskSpec or pipeline has this name."""


class InvalidOption(HeadwayError, TypeError):
    """A task has no option of this name."""


class InvalidEvent(HeadwayError, ValueError):
    """The event has a bad type or is too large."""


class InvalidGrant(HeadwayError, ValueError):
    """The grant was not made here, or has been changed."""


class NotInRun(HeadwayError, RuntimeError):
    """This StreamTask is not being executed: it sends events while its process() runs only."""


class UnknownTask(HeadwayError, LookupError):
    """No task is registered under this name."""


class UnknownModel(HeadwayError, LookupError):
    """No StreamTask has this name."""


class AmbiguousModel(UnknownModel):
    """Several apps have a StreamTask of this name."""


class RunDoesNotExist(HeadwayError, TaskResultDoesNotExist):
    """No run has this id."""


class MalformedRunId(RunDoesNotExist, ValueError):
    """A run id is a UUID, such as 0197a3c4-5d6e-7f80-9a1b-2c3d4e5f6071."""


class RunFinished(HeadwayError):
    """The run has finished already: there is nothing left to stop or to send to."""


class RunNotFinished(HeadwayError):
    """The run has not finished yet."""


class NotCommitted(HeadwayError, RuntimeError):
    """The run is there when the transaction has been committed, and not before."""


class RolledBack(HeadwayError, RuntimeError):
    """The transaction was rolled back, and the run with it."""


class TaskTimeout(HeadwayError, TimeoutError):
    """The task ran longer than its timeout."""


class TaskFailed(HeadwayError):
    """The run failed; its errors are on the handle."""


class TaskRaised(TaskFailed):
    """The task raised in a process of its own."""

    def __init__(self, description: dict[str, str] | None = None) -> None:
        #: Import path, message and traceback of what it raised there.
        self.description = description or {"type": "builtins.Exception", "message": ""}
        super().__init__("{type}: {message}".format_map(self.description))


class CommandFailed(TaskFailed):
    """The command could not start, or ended with an error."""


class ProcessDied(TaskFailed):
    """The process of the task ended before it had said how."""


class LimitExceeded(ProcessDied):
    """The task used more than its limits allow."""


class RunCancelled(HeadwayError):
    """The run was stopped or killed on request."""


class RunLost(HeadwayError):
    """The process that executed the run died or lost its lease."""


class InboxFull(HeadwayError):
    """The run was sent as many messages as it may be."""


class SupervisorStopped(HeadwayError):
    """This process is shutting down and takes no more work."""
