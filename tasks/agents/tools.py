"""Python functions that a model may call."""

import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, get_type_hints

import anyio
import anyio.to_thread
from django.core.exceptions import ImproperlyConfigured
from django.core.serializers.json import DjangoJSONEncoder
from django.db import close_old_connections

from tasks.agents.contract import ToolDescription
from tasks.agents.hints import schema_of
from tasks.agents.schemas import Schema
from tasks.codec import encode
from tasks.context import Context

__all__ = ["BadArguments", "Tool", "plain", "tools_by_name"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")  # what endpoints take
_CONTEXT = "context"

# As in tasks.runners.thread: a thread that outlives its run takes no place.
_unbounded = anyio.CapacityLimiter(float("inf"))


class BadArguments(Exception):
    """The model's arguments do not fit; the message is for the model."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function with the schema of its arguments."""

    function: Callable[..., Any]
    description: ToolDescription
    schema: Schema
    takes_context: bool

    @classmethod
    def of(cls, function: Callable[..., Any]) -> "Tool":
        """From the hints and docstring of *function*; ``ImproperlyConfigured`` if they do not do.

        A first parameter ``context`` of an async function receives the run's context.
        """
        name = getattr(function, "__name__", "")
        if not (inspect.isfunction(function) and _NAME.fullmatch(name)):
            raise ImproperlyConfigured(f"A tool is a function with a short name, not {function!r}.")
        takes_context = next(iter(inspect.signature(function).parameters), "") == _CONTEXT
        if takes_context and not inspect.iscoroutinefunction(function):
            raise ImproperlyConfigured(f"The tool {name}() takes the context, so it must be async.")
        schema = Schema(_arguments(function, takes_context))
        about = ToolDescription(name, inspect.getdoc(function) or "", schema.json)
        return cls(function, about, schema, takes_context)

    @property
    def name(self) -> str:
        return self.description.name

    def arguments(self, text: str) -> dict[str, Any]:
        """What the model wrote as keyword arguments; :class:`BadArguments` if it is none."""
        try:
            # Who calls without arguments often writes nothing at all.
            given = json.loads(text or "{}", parse_constant=_refuse)
            encode(given)  # 1e999 is a number to JSON, and none to anybody else
        except (ValueError, RecursionError, TypeError) as error:
            raise BadArguments(f"The arguments are no JSON: {error}") from None
        if problems := self.schema.problems(given):
            raise BadArguments("The arguments do not fit. " + "; ".join(problems))
        return dict(given)

    async def call(self, context: Context, arguments: Mapping[str, Any]) -> Any:
        """What the function returns, as plain JSON; raises what it raises.

        A sync function is called in a thread, which goes on by itself when we are cancelled.
        """
        if inspect.iscoroutinefunction(self.function):
            first = (context,) if self.takes_context else ()
            return plain(await self.function(*first, **arguments))
        call = partial(_call, self.function, arguments)
        return plain(
            await anyio.to_thread.run_sync(call, abandon_on_cancel=True, limiter=_unbounded)
        )


def tools_by_name(functions: Iterable[Callable[..., Any]]) -> dict[str, Tool]:
    """The tools of an agent; ``ImproperlyConfigured`` if two have the same name."""
    found: dict[str, Tool] = {}
    for tool in map(Tool.of, functions):
        if tool.name in found:
            raise ImproperlyConfigured(f"Two tools have the name {tool.name!r}.")
        found[tool.name] = tool
    return found


def plain(value: Any) -> Any:
    """*value* as JSON has it, with dates, decimals and UUIDs as text; else ``TypeError``."""
    try:
        return _carried(json.loads(json.dumps(value, cls=DjangoJSONEncoder)))
    except (ValueError, RecursionError, TypeError) as error:
        raise TypeError(f"What the tool returned cannot be carried as JSON: {error}") from error


def _arguments(function: Callable[..., Any], takes_context: bool) -> dict[str, Any]:
    parameters = list(inspect.signature(function).parameters.values())[int(takes_context) :]
    hints = get_type_hints(function, include_extras=True)
    properties = {each.name: _property(function, each, hints) for each in parameters}
    return {
        "type": "object",
        "properties": properties,
        "required": [each.name for each in parameters if each.default is each.empty],
        "additionalProperties": False,
    }


def _property(
    function: Callable[..., Any], parameter: inspect.Parameter, hints: Mapping[str, Any]
) -> dict[str, Any]:
    where = f"The parameter {parameter.name!r} of the tool {function.__name__}()"
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        raise ImproperlyConfigured(f"{where} cannot be given by name: models give all so.")
    if parameter.name not in hints:
        raise ImproperlyConfigured(f"{where} has no type hint: a model could not know what it is.")
    try:
        return schema_of(hints[parameter.name])
    except TypeError as error:
        raise ImproperlyConfigured(f"{where}: {error}.") from None


def _call(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    close_old_connections()
    try:
        return function(**arguments)
    finally:
        close_old_connections()


def _carried(value: Any) -> Any:
    encode(value)
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"JSON has no {constant}")
