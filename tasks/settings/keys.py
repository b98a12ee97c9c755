"""What a key of the ``HEADWAY`` setting may be, each as a field of a dataclass with its rule."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, TypeGuard

__all__ = [
    "Rule",
    "choice",
    "count",
    "function",
    "is_number",
    "is_seconds",
    "key",
    "most",
    "optional",
    "rate",
    "seconds",
    "text",
]


@dataclass(frozen=True)
class Rule:
    wants: str
    holds: Callable[[Any], bool]
    doc: str


def is_int(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_seconds(value: object) -> bool:
    return is_number(value) and value > 0


def key(default: Any, wants: str, holds: Callable[[Any], bool], doc: str) -> Any:
    metadata = {"rule": Rule(wants, holds, doc)}
    if isinstance(default, dict | list):
        return field(default_factory=lambda: deepcopy(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def count(default: int, doc: str, least: int = 1) -> Any:
    wants = f"a whole number of at least {least}"
    return key(default, wants, lambda value: is_int(value, least), doc)


def most(default: int, doc: str) -> Any:
    return count(default, doc, 0)


def rate(default: float, doc: str) -> Any:
    wants = "a number of at least 0"
    return key(default, wants, lambda value: value == 0 or is_seconds(value), doc)


def seconds(default: float, doc: str) -> Any:
    return key(default, "a number of seconds above 0", is_seconds, doc)


def choice(default: str, choices: tuple[str, ...], doc: str) -> Any:
    wants = "one of " + ", ".join(map(repr, choices))
    return key(default, wants, lambda value: value in choices, doc)


def text(default: str, doc: str) -> Any:
    return key(default, "a str", lambda value: isinstance(value, str) and bool(value), doc)


def optional(default: Any, wants: str, holds: Callable[[Any], bool], doc: str) -> Any:
    return key(default, f"{wants}, or None", lambda value: value is None or holds(value), doc)


def is_function(value: object) -> bool:
    return value is None or callable(value) or (isinstance(value, str) and "." in value)


def function(doc: str) -> Any:
    return key(None, "a callable, the dotted path to one, or None", is_function, doc)
