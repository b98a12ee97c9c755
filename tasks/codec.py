"""JSON as Headway stores and sends it: what goes in comes out unchanged, or is refused.

RFC 8259 has no NaN and no infinity, and object names are strings; Python's encoder
would let the first two through and turn other keys into strings without a word.
"""

import json
from json.encoder import JSONEncoder
from typing import Any

from tasks.exceptions import InvalidValue

__all__ = ["decode", "encode"]


def _refuse(value: object) -> Any:
    raise InvalidValue(
        f"A value of type {type(value).__name__} cannot be carried as JSON: "
        "pass its id, or convert it to str, int, float, bool, None, list or dict first."
    )


_encoder = JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_refuse, check_circular=True
)


def encode(value: object) -> str:
    """The compact JSON text of *value*; :class:`InvalidValue` if JSON cannot hold it."""
    if isinstance(value, str | int | float | bool | None):
        return _text(value)
    text = _text(value)
    _check_names(value)
    return text


def _text(value: object) -> str:
    try:
        text = _encoder.encode(value)
        text.encode()  # a lone surrogate is a str, and no text
    except (ValueError, RecursionError, TypeError) as error:
        if isinstance(error, InvalidValue):
            raise
        raise InvalidValue(f"The value cannot be carried as JSON: {error}.") from error
    return text


def _check_names(value: object) -> None:
    if isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str):
                raise InvalidValue(
                    f"The key {name!r} is no str, and names in JSON are: use str({name!r})."
                )
            if isinstance(item, dict | list | tuple):
                _check_names(item)
    elif isinstance(value, list | tuple):
        for item in value:
            if isinstance(item, dict | list | tuple):
                _check_names(item)


def decode(text: str | bytes) -> Any:
    """The value of a JSON text; ``ValueError`` if it is none."""
    return json.loads(text)
