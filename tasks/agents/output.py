"""A model's answer as JSON of a schema."""

import json
import re
from typing import Any, NoReturn

from tasks.agents.schemas import Schema
from tasks.codec import encode

__all__ = ["Unfit", "parsed"]

# Models like to wrap what they were asked to give alone.
_FENCED = re.compile(r"\s*```[a-zA-Z]*\s*\n(.*)\n\s*```\s*", re.DOTALL)


class Unfit(Exception):
    """The answer does not fit; the message is for the model."""


def parsed(text: str, schema: Schema) -> Any:
    """The value of an answer; :class:`Unfit` unless it is JSON that *schema* allows."""
    fenced = _FENCED.fullmatch(text)
    try:
        value = json.loads(fenced[1] if fenced else text, parse_constant=_refuse)
        encode(value)  # 1e999 is a number to JSON, and none to anybody else
    except (ValueError, RecursionError, TypeError) as error:
        raise Unfit(f"It is no JSON: {error}.") from None
    if problems := schema.problems(value):
        raise Unfit("; ".join(problems))
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")
