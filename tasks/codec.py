"""JSON as Headway stores and sends it: what goes in comes out unchanged, or is refused.

RFC 8259 has no NaN and no infinity, and object names are strings; Python's encoder
would let the first two through and turn other keys into strings without a word.
"""

import json
from datetime import date, time
from decimal import Decimal
from json.encoder import JSONEncoder
from pathlib import PurePath
from typing import Any
from uuid import UUID

from tasks.exceptions import InvalidValue

__all__ = ["decode", "encode", "encode_indexed"]


_ADVICE: tuple[tuple[tuple[type, ...], str], ...] = (
    ((date, time), "pass value.isoformat()"),
    ((bytes, bytearray, memoryview), "pass it as base64, or store it and pass where it is"),
    ((set, frozenset), "pass list(value)"),
    ((Decimal, UUID, PurePath), "pass str(value)"),
)
_OTHERWISE = "pass its id, or convert it to str, int, float, bool, None, list or dict first"


def _refuse(value: object) -> Any:
    advice = next((text for types, text in _ADVICE if isinstance(value, types)), _OTHERWISE)
    raise InvalidValue(
        f"A value of type {type(value).__name__} cannot be carried as JSON: {advice}."
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
        if str(error).startswith("Out of range float"):
            raise InvalidValue("NaN and infinity are no JSON: pass None, or a str.") from error
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


def encode_indexed(value: object) -> str:
    """:func:`encode`, for what the database looks into: PostgreSQL has no text with a NUL."""
    text = encode(value)
    if "\\u0000" in text and _has_nul(value):
        raise InvalidValue("A NUL character cannot be stored here: remove it, or replace it.")
    return text


def _has_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(name) or _has_nul(item) for name, item in value.items())
    return isinstance(value, list | tuple) and any(map(_has_nul, value))


def decode(text: str | bytes) -> Any:
    """The value of a JSON text; ``ValueError`` if it is none."""
    return json.loads(text)
