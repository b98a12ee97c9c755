"""Whether a run is the one that a test expects."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from tasks.codec import decode, encode
from tasks.task import Task

__all__ = ["Enqueued", "expect", "expect_none"]


class Enqueued(Protocol):
    """A run, as a test sees it."""

    @property
    def task(self) -> Any: ...
    @property
    def args(self) -> Any: ...
    @property
    def kwargs(self) -> Any: ...


R = TypeVar("R", bound=Enqueued)


def expect(
    runs: Iterable[R], task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> R:
    """The first run of *task* with this call; ``AssertionError`` that tells what there is.

    Without arguments, whatever it was called with.
    """
    runs = list(runs)
    found = _matching(runs, task, args, kwargs)
    if not found:
        raise AssertionError(f"{_call(task, args, kwargs)} was not enqueued. {_told(runs)}")
    return found[0]


def expect_none(
    runs: Iterable[R], task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    """``AssertionError`` if :func:`expect` would find a run."""
    runs = list(runs)
    if found := _matching(runs, task, args, kwargs):
        times = f"{len(found)} times" if len(found) > 1 else "once"
        raise AssertionError(f"{_call(task, args, kwargs)} was enqueued {times}. {_told(runs)}")


def _matching(
    runs: list[R], task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> list[R]:
    of_task = [run for run in runs if run.task.module_path == task.module_path]
    if not args and not kwargs:
        return of_task
    task.check_call(tuple(args), kwargs)  # a call that nobody could make is the test's mistake
    wanted = _named(task, decode(encode(list(args))), decode(encode(dict(kwargs))))
    return [run for run in of_task if _named(task, run.args, run.kwargs) == wanted]


def _named(task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by name, defaults included: f(1) and f(a=1) are the same call."""
    given = (None, *args) if task.takes_context else args
    call = inspect.signature(task.func).bind(*given, **kwargs)
    call.apply_defaults()
    return dict(call.arguments)


def _call(task: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    given = [*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())]
    return f"{task.module_path}({', '.join(given)})"


def _told(runs: Sequence[Enqueued]) -> str:
    if not runs:
        return "Nothing was enqueued."
    return "Enqueued: " + ", ".join(_call(run.task, run.args, run.kwargs) for run in runs)
