"""How a run is executed: its runner, its limits, its surroundings.

They are checked when a task is declared and when a run is enqueued, and kept with the run:
whoever executes it need not know the decorator of that day.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, TypedDict

from tasks.codec import decode, encode

__all__ = ["NAMES", "RUNNERS", "Execution", "Options", "Runner", "is_async"]

Runner = Literal["auto", "async", "thread", "process", "command"]

RUNNERS: Final = ("auto", "async", "thread", "process", "command")

_APART = ("process", "command")  # they have a process of their own, which can be limited
_FEWEST_FDS = 16  # with less, Python's own event loop cannot begin


class Execution(TypedDict, total=False):
    """What a task or a call may say of the way to execute; None: nothing."""

    #: ``auto`` is a process where another option needs one, else the event loop or a thread.
    runner: Runner | None
    #: Megabytes (2**20 bytes) that each process of a run may allocate.
    memory_mb: int | None
    #: Seconds of processor time that each process of a run may use.
    cpu_seconds: int | None
    #: Highest number of open files of each process of a run.
    max_fds: int | None
    #: Environment variables, beside those of the process that executes.
    env: Mapping[str, str] | None
    #: Folder in which the function or command starts.
    working_dir: str | None
    #: Whether what is written to stdout and stderr becomes ``output`` events.
    stream_output: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """An :class:`Execution` that can be checked and kept."""

    runner: Runner | None = None
    memory_mb: int | None = None
    cpu_seconds: int | None = None
    max_fds: int | None = None
    env: Mapping[str, str] | None = None
    working_dir: str | None = None
    stream_output: bool | None = None

    @classmethod
    def of(cls, source: Any) -> "Options":
        """Those of a task, or of anything that has some of them as attributes."""
        return cls(**{name: getattr(source, name, None) for name in NAMES})

    @classmethod
    def stored(cls, text: str) -> "Options":
        """From JSON that :meth:`as_json` wrote; what only a later release knows is left out."""
        found = decode(text)
        return cls(**{name: found[name] for name in NAMES if name in found})

    def as_json(self) -> str:
        given = {name: getattr(self, name) for name in NAMES}
        if self.env is not None:
            given["env"] = dict(self.env)
        return encode({name: value for name, value in given.items() if value is not None})

    @property
    def apart(self) -> list[str]:
        """Names of the options given that only a process of its own can follow."""
        return [name for name in NAMES[1:] if getattr(self, name) not in (None, False)]

    def resolved(self, function: Callable[..., Any]) -> "Options":
        """The same with the runner that *function* gets; ``ValueError`` if it cannot be."""
        self.check()
        chosen = self.runner or "auto"
        if chosen == "auto":
            chosen = "process" if self.apart else "async" if is_async(function) else "thread"
        if problem := _misfit(chosen, function) or self._beyond(chosen):
            raise ValueError(problem)
        return replace(self, runner=chosen)

    def check(self) -> None:
        """``ValueError`` that names the first bad value and what it must be."""
        if self.runner is not None and self.runner not in RUNNERS:
            known = ", ".join(map(repr, RUNNERS))
            raise ValueError(f"runner must be one of {known}, not {self.runner!r}.")
        for name, least in (("memory_mb", 1), ("cpu_seconds", 1), ("max_fds", _FEWEST_FDS)):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < least):
                raise ValueError(f"{name} must be a whole number from {least}, not {value!r}.")
        if self.env is not None:
            _check_env(self.env)
        if self.working_dir is not None and not _is_text(self.working_dir):
            raise ValueError(f"working_dir must be the path of a folder, not {self.working_dir!r}.")
        if self.stream_output not in (None, True, False):
            raise ValueError(f"stream_output must be True or False, not {self.stream_output!r}.")

    def _beyond(self, runner: str) -> str:
        """Why *runner* cannot follow these options, or nothing."""
        if runner in _APART or not self.apart:
            return ""
        return (
            f"The runner {runner!r} cannot follow {', '.join(self.apart)}: all that runs there"
            " shares one process. Use runner='process' or runner='command'."
        )


#: Of all options.
NAMES: Final = tuple(item.name for item in fields(Options))


def is_async(function: Callable[..., Any]) -> bool:
    """Whether *function* belongs on an event loop."""
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _misfit(runner: str, function: Callable[..., Any]) -> str:
    """Why *function* cannot be executed by *runner*, or nothing."""
    name = getattr(function, "__qualname__", repr(function))
    if runner == "thread" and is_async(function):
        return f"{name}() is async, and runner='thread' calls sync functions: use 'async'."
    if runner == "async" and not is_async(function):
        return f"{name}() is sync and would block the event loop: use runner='thread'."
    generates = inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function)
    if runner == "command" and generates:
        return f"{name}() is a generator; with runner='command' it returns the argument list."
    return ""


def _check_env(env: object) -> None:
    if not isinstance(env, Mapping):
        raise ValueError(f"env must map names to values, not be {type(env).__name__}.")
    for name, value in env.items():
        if not _is_text(name) or "=" in name:
            raise ValueError(f"env has {name!r}, which is no name of an environment variable.")
        if not (isinstance(value, str) and "\0" not in value):
            # Its value may be a secret: say of which kind it is, and no more.
            raise ValueError(f"env[{name!r}] must be a str without NUL: it is set as it stands.")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != "" and "\0" not in value
