"""JSON schemas of what Python's type hints say."""

import types
from collections.abc import Callable
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

__all__ = ["schema_of"]

_PLAIN: dict[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
    None: "null",
    list: "array",
    dict: "object",
}


def schema_of(hint: Any) -> dict[str, Any]:
    """The schema of what JSON can carry; ``TypeError`` for any other hint.

    A text in ``Annotated`` describes the value to the model.
    """
    if hint is Any or hint is object:
        return {}
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if is_typeddict(hint):
        return _of_typed_dict(hint)
    form = _FORMS.get(get_origin(hint))
    if form is None:
        raise TypeError(
            f"{hint!r} has no form in JSON: use str, int, float, bool, None, list, dict,"
            " Literal, TypedDict, or a union of them"
        )
    return form(*get_args(hint))


def _annotated(hint: Any, *notes: Any) -> dict[str, Any]:
    texts = [note for note in notes if isinstance(note, str)]
    return schema_of(hint) | ({"description": " ".join(texts)} if texts else {})


def _literal(*values: Any) -> dict[str, Any]:
    if not all(isinstance(value, str | int | None) for value in values):
        raise TypeError("a Literal of other things than str, int, bool and None has no form")
    return {"enum": list(values)}


def _union(*hints: Any) -> dict[str, Any]:
    return {"anyOf": [schema_of(hint) for hint in hints]}


def _list(item: Any) -> dict[str, Any]:
    return {"type": "array", "items": schema_of(item)}


def _dict(key: Any, value: Any) -> dict[str, Any]:
    if key is not str:
        raise TypeError("names in JSON are str: a dict has to be dict[str, …]")
    return {"type": "object", "additionalProperties": schema_of(value)}


def _of_typed_dict(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {
        "type": "object",
        "properties": {name: schema_of(hint) for name, hint in hints.items()},
        "required": sorted(kind.__required_keys__),
        "additionalProperties": False,
    }


_FORMS: dict[Any, Callable[..., dict[str, Any]]] = {
    Annotated: _annotated,
    Literal: _literal,
    Union: _union,
    types.UnionType: _union,
    list: _list,
    dict: _dict,
    # Which names are required, the TypedDict knows.
    NotRequired: schema_of,
    Required: schema_of,
}
