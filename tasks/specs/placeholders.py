"""``${name}`` in the arguments of a command: no shell, each stays one argument."""

import re
from collections.abc import Container, Mapping
from typing import Any

from tasks.codec import encode

__all__ = ["filled", "undeclared"]

_PLACE = re.compile(r"(\$?)\$\{([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)


def undeclared(text: str, declared: Container[str]) -> list[str]:
    """The names in *text* that are not among the *declared*; ``$${name}`` is none."""
    return [name for escaped, name in _PLACE.findall(text) if not escaped and name not in declared]


def filled(text: str, values: Mapping[str, Any]) -> str:
    """*text* with the values in their places; numbers and booleans as JSON writes them."""

    def put(match: re.Match[str]) -> str:
        escaped, name = match.groups()
        if escaped:
            return match[0][1:]
        value = values[name]
        return value if isinstance(value, str) else encode(value)

    return _PLACE.sub(put, text)
