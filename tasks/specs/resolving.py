"""From a TaskSpec to the task and arguments that are enqueued for it."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.command import Command
from tasks.commands import run_command
from tasks.compat import InvalidTask
from tasks.definition import registry
from tasks.definition.options import is_async
from tasks.exceptions import HeadwayError, InvalidArguments, InvalidSpec, UnknownTask
from tasks.specs import calls
from tasks.specs.bundle import find_function
from tasks.specs.given import MISSING, spec_values
from tasks.specs.placeholders import filled
from tasks.specs.spec import TaskSpec
from tasks.specs.templates import references
from tasks.task import Task

__all__ = ["Resolved", "resolve"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """A call that has been checked: the arguments fit, and the options are set."""

    task: Task[..., Any]
    args: list[Any]
    kwargs: dict[str, Any]
    #: What of *task* is not as its decorator says, for ``using()``.
    options: dict[str, Any]

    @property
    def chosen(self) -> Task[..., Any]:
        return self.task.using(**self.options)


def resolve(
    spec: TaskSpec,
    payload: Any = MISSING,
    spec_args: Mapping[str, Any] | None = None,
    stdin_text: Any = MISSING,
    *,
    template: bool = False,
) -> Resolved:
    """Everything that can be wrong is found here. :class:`InvalidSpec`, :class:`InvalidArguments`.

    A function gets *spec_args* by name and the *payload* as its argument ``payload``. A command
    gets *spec_args* where it has ``${name}``, and on its standard input *stdin_text*, or the
    payload as JSON. In a *template*, references may stand for values: see
    :mod:`tasks.specs.templates`.
    """
    values = spec_values(spec, spec_args, template=template)
    if spec.command is not None:
        try:
            return _command(spec, spec.command, values, payload, stdin_text)
        except (TypeError, ValueError) as error:
            if isinstance(error, HeadwayError):
                raise
            raise InvalidArguments(
                f"The command of {spec.name} cannot be executed: {error}"
            ) from None
    if stdin_text is not MISSING:
        raise InvalidArguments(f"stdin_text is for commands, and {spec.name} is none.")
    kwargs = {**spec.kwargs, **values}
    if payload is not MISSING:
        if "payload" in kwargs:
            raise InvalidArguments(f"The spec {spec.name} has an argument 'payload' already.")
        kwargs["payload"] = payload
    return _function(spec, spec.args, kwargs)


def _function(spec: TaskSpec, args: list[Any], kwargs: dict[str, Any]) -> Resolved:
    if ":" in spec.target:
        bundle = str(spec.bundle) if spec.bundle else None
        found = find_function(spec.target, bundle)
        if not isinstance(found, Task):
            return _plain(spec, found, bundle, args, kwargs)
    else:
        try:
            found = registry.find(spec.target)
        except UnknownTask as error:
            raise InvalidSpec(
                f"/target: {error} A function that is no task: module:name."
            ) from None
    found.check_call(tuple(args), kwargs)
    return _resolved(spec, found, args, kwargs)


def _plain(
    spec: TaskSpec, function: Any, bundle: str | None, args: list[Any], kwargs: dict[str, Any]
) -> Resolved:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidSpec(f"/target: {spec.target} is a generator: make it a task with @task.")
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError as error:
        raise InvalidArguments(f"{spec.target} cannot be called like this: {error}.") from None
    caller = calls.call_async if is_async(function) else calls.call
    return _resolved(spec, caller, [spec.target, bundle, args, kwargs], {})


def _command(
    spec: TaskSpec, words: list[str], values: Mapping[str, Any], payload: Any, stdin_text: Any
) -> Resolved:
    if stdin_text is not MISSING and payload is not MISSING:
        raise InvalidArguments("stdin_text and payload are both for a command's standard input.")
    if stdin_text is not MISSING and not spec.takes_stdin_text:
        raise InvalidArguments(f"The spec {spec.name} takes no stdin_text: it does not declare it.")
    if any(references(values)):
        raise InvalidSpec(
            "/spec_args: a command's arguments are known when it is submitted; what a stage"
            " returned, or a pipeline is given, reaches it by payload or stdin_text."
        )
    if stdin_text is not MISSING and not isinstance(stdin_text, str | Mapping):
        raise InvalidArguments(f"stdin_text is a str, not {type(stdin_text).__name__}.")
    argv = [filled(word, values) for word in words]
    Command(argv)  # it says what is wrong
    if payload is not MISSING:
        return _resolved(spec, calls.call_command, [argv, payload], {})
    given = {} if stdin_text is MISSING else {"stdin_text": stdin_text}
    return _resolved(spec, run_command, [argv], given)


def _resolved(
    spec: TaskSpec, task: Task[..., Any], args: list[Any], kwargs: dict[str, Any]
) -> Resolved:
    found = Resolved(task, args, kwargs, spec.options(task.metadata))
    try:
        _ = found.chosen
    except (InvalidTask, ValueError, TypeError) as error:
        raise InvalidSpec(f"The TaskSpec {spec.name} cannot be executed. {error}") from error
    return found
