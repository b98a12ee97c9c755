"""The tasks that call a function which is none itself, for specs.

No registry lists them: which function is called stands in their arguments, and those are
written by :mod:`tasks.specs` alone.
"""

from collections.abc import Callable
from typing import Any

from tasks.codec import encode
from tasks.command import Command
from tasks.specs.bundle import find_function
from tasks.task import Task, task

__all__ = ["call", "call_async", "call_command"]

Args = list[Any]
Kwargs = dict[str, Any]


@task(name="headway.call")
def call(target: str, bundle: str | None, args: Args, kwargs: Kwargs) -> Any:
    """Call a sync function."""
    return _function(target, bundle)(*args, **kwargs)


@task(name="headway.call_async")
async def call_async(target: str, bundle: str | None, args: Args, kwargs: Kwargs) -> Any:
    """Await an async function."""
    return await _function(target, bundle)(*args, **kwargs)


@task(name="headway.call_command", runner="command")
def call_command(argv: list[str], payload: Any) -> Command:
    """Execute a program that reads *payload* as JSON."""
    return Command(argv, encode(payload))


def _function(target: str, bundle: str | None) -> Callable[..., Any]:
    found = find_function(target, bundle)
    return found.func if isinstance(found, Task) else found
