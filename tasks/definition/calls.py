"""Whether a task's function could be called as somebody wants it to be."""

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from tasks.exceptions import InvalidArguments

__all__ = ["check", "check_using"]

_CONTEXT = object()  # stands in for the context


@cache
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)


def check(
    name: str,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    context: bool,
) -> None:
    """:class:`InvalidArguments` unless it takes these, after its *context* if it has one."""
    given = (_CONTEXT, *args) if context else args
    try:
        _signature(function).bind(*given, **kwargs)
    except TypeError as error:
        raise InvalidArguments(f"{name}() cannot be called like this: {error}.") from None


def check_using(name: str, function: Callable[..., Any]) -> None:
    """:class:`InvalidArguments` if *function* has a parameter that enqueue_on_commit() takes."""
    if "using" in _signature(function).parameters:
        raise InvalidArguments(
            f"{name}() has a parameter 'using', which enqueue_on_commit() takes for the name of a"
            " database: give it another name, or call enqueue() in transaction.on_commit()."
        )
