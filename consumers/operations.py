"""What can be done to runs from outside, with refusals for what cannot."""

from typing import Any, NamedTuple

from consumers.refusal import Refusal
from tasks.codec import decode
from tasks.definition import registry
from tasks.engine import control, store
from tasks.exceptions import (
    InboxFull,
    InvalidArguments,
    InvalidEvent,
    InvalidValue,
    RunDoesNotExist,
    RunFinished,
    UnknownTask,
)
from tasks.handles import Handle
from tasks.models import TaskRun
from tasks.states import CancelRequest

__all__ = [
    "Call",
    "cancel",
    "enqueue",
    "message_in",
    "parse_call",
    "parse_message",
    "retry",
    "send",
]

# Whoever may enqueue some task must not thereby execute any program.
_NOT_FROM_OUTSIDE = frozenset({"tasks.commands.run_command"})

# Whoever may enqueue some task must not thereby execute any program.
_NOT_FROM_OUTSIDE = frozenset({"tasks.commands.run_command"})

# Whoever may enqueue some task must not thereby execute any program.
_NOT_FROM_OUTSIDE = frozenset({"tasks.commands.run_command"})

_KEY_LENGTH = 200  # characters; the column has 255, and the owner stands before it


class Call(NamedTuple):
    """What a client wants to be run."""

    task: str
    args: list[Any]
    kwargs: dict[str, Any]

    @property
    def as_run(self) -> TaskRun:
        """The run it would be, unsaved and nobody's yet: what AUTHZ decides about."""
        try:
            path = registry.find(self.task).module_path
        except UnknownTask:
            path = self.task
        call: dict[str, Any] = {"args": self.args, "kwargs": self.kwargs}
        return TaskRun(task=path, **call)


def parse_call(body: bytes) -> Call:
    """The call in a JSON body."""
    try:
        given = decode(body)
    except (ValueError, RecursionError):
        raise _bad("The body is no JSON.") from None
    if not isinstance(given, dict) or given.keys() - set(Call._fields):
        raise _bad("The body must be an object with task, args and kwargs.")
    task, args, kwargs = given.get("task"), given.get("args", []), given.get("kwargs", {})
    if not (isinstance(task, str) and task):
        raise _bad("task must be a task's name.")
    if not (isinstance(args, list) and isinstance(kwargs, dict)):
        raise _bad("args must be a list, and kwargs an object.")
    return Call(task, args, kwargs)


def parse_message(body: bytes) -> Any:
    """What is to be sent, from a JSON body."""
    try:
        given = decode(body)
    except (ValueError, RecursionError):
        raise _bad("The body is no JSON.") from None
    if not isinstance(given, dict) or given.keys() != {"data"}:
        raise _bad("The body must be an object with data, and nothing else.")
    return given["data"]


def message_in(command: dict[str, Any]) -> Any:
    """What is to be sent, from a command on a WebSocket."""
    if "data" not in command:
        raise _bad('A command to send has the message in "data".')
    return command["data"]


def send(run: TaskRun, data: Any) -> int:
    """Send *data* to the run; its number among all that was sent there."""
    try:
        return control.send(run.pk, data)
    except RunDoesNotExist:
        raise Refusal(404, "no_such_run", "There is no run with this id.") from None
    except RunFinished as error:
        raise Refusal(409, "finished", str(error)) from None
    except InboxFull as error:
        raise Refusal(409, "inbox_full", str(error)) from None
    except (InvalidEvent, InvalidValue) as error:
        raise Refusal(400, "bad_message", str(error)) from None


def enqueue(call: Call, user: Any, idempotency_key: str | None) -> TaskRun:
    """Store the run. With a key that this user has used, it is the run of that time."""
    try:
        task = registry.find(call.task)
    except UnknownTask:
        task = None
    if task is None or task.module_path in _NOT_FROM_OUTSIDE:
        raise Refusal(404, "no_such_task", "No task has this name.")
    key = None if idempotency_key is None else _unique_key(user, idempotency_key)
    try:
        # Not enqueue(*args, **kwargs): "self" is a fine name for a client's argument.
        arguments = (tuple(call.args), call.kwargs)
        [handle] = task.using(user=user, unique_key=key).enqueue_many([arguments])
    except (InvalidArguments, InvalidValue) as error:
        raise Refusal(400, "bad_arguments", str(error)) from None
    run = store.fetch_run(handle.run_id)
    if (run.task, run.args, run.kwargs) != (task.module_path, call.args, call.kwargs):
        raise Refusal(409, "key_reused", "This Idempotency-Key was used for another call.")
    return run


def cancel(run: TaskRun, request: CancelRequest) -> None:
    """Ask for the run's end; it comes as events, soon."""
    try:
        accepted = control.request_cancel(run.pk, request)
    except RunDoesNotExist:
        raise Refusal(404, "no_such_run", "There is no run with this id.") from None
    if not accepted:
        raise Refusal(409, "finished", "The run has finished already.")


def retry(run: TaskRun) -> TaskRun:
    """Enqueue the same call as a new run."""
    if not run.is_finished:
        raise Refusal(409, "not_finished", "The run has not finished yet.")
    try:
        handle = Handle.of_run(run).retry()
    except UnknownTask:
        raise Refusal(409, "no_such_task", "The run's task is no more.") from None
    except (InvalidArguments, InvalidValue) as error:
        raise Refusal(409, "bad_arguments", str(error)) from None
    return store.fetch_run(handle.run_id)


def _unique_key(user: Any, key: str) -> str:
    if not (key.isascii() and key.isprintable() and 0 < len(key) <= _KEY_LENGTH):
        message = f"Idempotency-Key must be 1 to {_KEY_LENGTH} printable ASCII characters."
        raise _bad(message)
    # Nobody gets hold of another's run by guessing a key.
    return f"http:{user.pk or ''}:{key}"


def _bad(message: str) -> Refusal:
    return Refusal(400, "bad_request", message)
