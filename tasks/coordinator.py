"""Starting, finding and stopping StreamTasks, from anywhere.

::

    from tasks.coordinator import coordinator

    await coordinator.start_task(task)  # in async code
    coordinator.start_task(task)        # in sync code, a transaction included

Its methods take a task as an instance, as ``(model, pk)`` or as ``(app_label, model, pk)``;
the model may be the class or its name. In async code they are awaited, in sync code they
are not.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from asgiref.sync import sync_to_async

from tasks.engine import control
from tasks.exceptions import RunDoesNotExist
from tasks.states import CancelRequest, RunStatus
from tasks.stream_task import StreamTask
from tasks.streaming.answer import Answer, on_a_loop
from tasks.streaming.here import executed_here
from tasks.streaming.lookup import find_model, find_row, run_of
from tasks.streaming.start import start

__all__ = ["Coordinator", "coordinator"]

T = TypeVar("T")
Which = tuple[type[StreamTask], Any]

_NAMES = ("app_name", "model_name", "task_id")


class Coordinator:
    """Holds nothing: what is true of a task stands in the database, for every process."""

    def start_task(self, task_instance: StreamTask, *names: str, **named: str) -> Any:
        """Have ``process()`` executed once: the handle of the run, or None if that is deleted.

        In sync code it is the ``value`` of what this returns, which ``asyncio.run`` takes too.
        A task that is under way, or was completed, is not started again: this gives the run
        it has. One that failed or was stopped is started again, as a new run with a new log.
        So is one whose ``completed_at`` you have emptied and saved.

        Among those who start the same task at the same time, all get the one run; so does
        whoever holds an instance that was read before somebody else's start: read it again
        to start after that. In a transaction it begins with the commit. Raises
        ``ValueError`` for a row that is not saved, or names that are another model's.
        """
        _check_names(task_instance, (*names, *named.values()))
        begin = partial(start, task_instance)
        return sync_to_async(begin)() if on_a_loop() else Answer(begin)

    def get_task_instance(self, *which: Any, **named: Any) -> Any:
        """The instance that this process is executing, else the row; None if there is none.

        Starts nothing.
        """
        model, pk = _which(which, named)
        return _answer(lambda: executed_here(model, pk) or find_row(model, pk))

    def is_task_running(self, *which: Any, **named: Any) -> Any:
        """Whether it was started and has not ended, in whatever process.

        True from the start on, while it waits for room or for another attempt too, and
        after the death of its process until its runs' rules say that it has failed.

        In async code it may be used as a bool without ``await``, which holds up the event
        loop for a query.
        """
        asked = partial(_is_running, *_which(which, named))
        return Answer(asked) if on_a_loop() else asked()

    def stop_task(self, *which: Any, **named: Any) -> Any:
        """Ask it to end: ``process()`` is cancelled. False if it is not under way."""
        return _answer(partial(_stop, *_which(which, named)))

    cancel_task = stop_task


#: That of this process.
coordinator = Coordinator()


def _answer(ask: Callable[[], T]) -> Any:
    return sync_to_async(ask)() if on_a_loop() else ask()


def _which(given: tuple[Any, ...], named: dict[str, Any]) -> Which:
    if unknown := named.keys() - set(_NAMES):
        raise TypeError(f"{', '.join(sorted(unknown))}: name {', '.join(_NAMES)}.")
    given = (*given, *(named[name] for name in _NAMES if name in named))
    match given:
        case [StreamTask() as task]:
            return type(task), task.pk
        case [type() as model, pk] if issubclass(model, StreamTask):
            return model, pk
        case [str(name), pk]:
            return find_model(name), pk
        case [str(app_label), str(name), pk]:
            return find_model(name, app_label), pk
    raise TypeError("A task is an instance, (model, pk) or (app_label, model, pk).")


def _check_names(task: StreamTask, names: tuple[str, ...]) -> None:
    meta = task._meta
    if [name.lower() for name in names] not in ([], [meta.model_name], meta.label_lower.split(".")):
        raise ValueError(f"{'.'.join(names)} is another model than {meta.label}.")


def _is_running(model: type[StreamTask], pk: Any) -> bool:
    row = find_row(model, pk)
    run = None if row is None else run_of(row)
    return run is not None and run.status in (RunStatus.READY, RunStatus.RUNNING)


def _stop(model: type[StreamTask], pk: Any) -> bool:
    row = find_row(model, pk)
    if row is None or row.run_id is None:
        return False
    try:
        return control.request_cancel(row.run_id, CancelRequest.STOP)
    except RunDoesNotExist:
        return False
