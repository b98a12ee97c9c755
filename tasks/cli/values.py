"""Values as they are typed: JSON, ``@file`` or ``@-``."""

import re
import sys
from pathlib import Path
from typing import Any

from tasks.cli.exits import Exit, failure
from tasks.codec import decode

__all__ = ["call_arguments", "json_object", "json_value"]

_NAMED = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)


def json_value(typed: str) -> Any:
    """The JSON value of *typed*; ``@path`` is that in a file, ``@-`` that on stdin."""
    text = _read(typed[1:]) if typed.startswith("@") else typed
    try:
        return decode(text)
    except (ValueError, RecursionError):
        hint = "" if typed.startswith("@") else f" A text is typed as {_quoted(typed)}."
        raise failure(Exit.USAGE, f"{typed[:80]!r} is no JSON.{hint}") from None


def json_object(typed: str) -> dict[str, Any]:
    value = json_value(typed)
    if not isinstance(value, dict):
        raise failure(Exit.USAGE, f"{typed[:80]!r} must be a JSON object, such as '{{\"a\": 1}}'.")
    return value


def call_arguments(typed: list[str]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and named arguments of a call: ``3``, ``'"text"'``, ``rows=@rows.json``."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for one in typed:
        if named := _NAMED.fullmatch(one):
            kwargs[named[1]] = json_value(named[2])
        elif kwargs:
            raise failure(Exit.USAGE, f"{one[:80]!r} has no name, and follows one that has.")
        else:
            args.append(json_value(one))
    return tuple(args), kwargs


def _quoted(typed: str) -> str:
    return f"'\"{typed[:60]}\"'"


def _read(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise failure(Exit.USAGE, f"@{path} cannot be read: {error}") from None
