"""What a runner is given, and what it owes."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tasks.context import Context, SyncContext

__all__ = ["Call", "Runner"]


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments; the context among them if the task takes it."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    context: Context | SyncContext

    @property
    def is_async(self) -> bool:
        return is_async(self.function)


def is_async(function: Callable[..., Any]) -> bool:
    """Whether *function* belongs on the event loop."""
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


#: Executes a call and returns what it returned. It raises what the function raised, and
#: ends soon after it was cancelled, whether or not the function does.
Runner = Callable[[Call], Awaitable[Any]]
