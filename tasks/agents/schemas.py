"""JSON schemas: whether a value fits, and what of it does not."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from django.core.exceptions import ImproperlyConfigured

__all__ = ["EXTRA", "Schema"]

EXTRA = "pip install 'django-headway[agents]'"

_LOOKED_AT = 100  # problems: a long list may have one in each item
_MOST = 5  # problems that a model is told at once
_LONGEST = 300  # characters of one: it quotes the value


class Schema:
    """A JSON schema (2020-12). ``ImproperlyConfigured`` if it is none."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        if not isinstance(schema, Mapping):
            raise ImproperlyConfigured(f"A schema is a dict, not {type(schema).__name__}.")
        self.json = dict(schema)
        self._validator = _validator(self.json)

    def problems(self, value: Any) -> list[str]:
        """What of *value* does not fit, each with its path; the worst few."""
        from jsonschema.exceptions import relevance

        try:
            found = list(islice(self._validator.iter_errors(value), _LOOKED_AT))
        except RecursionError:
            return ["$: it is nested too deeply"]
        found.sort(key=relevance, reverse=True)
        return [f"{error.json_path}: {_shortened(error.message)}" for error in found[:_MOST]]


def _validator(schema: dict[str, Any]) -> Any:
    try:
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import SchemaError
        from referencing import Registry
    except ImportError:
        raise ImproperlyConfigured(f"Tools and output schemas need jsonschema: {EXTRA}") from None
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ImproperlyConfigured(
            f"This is no JSON schema: {error.json_path}: {error.message}"
        ) from None
    # A reference to elsewhere is not followed: a check connects to nobody.
    return Draft202012Validator(schema, registry=Registry())


def _shortened(message: str) -> str:
    return message if len(message) <= _LONGEST else f"{message[: _LONGEST - 1]}…"
