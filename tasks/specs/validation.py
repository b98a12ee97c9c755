"""Checking a document against a schema of ours, with messages that name the path.

It knows the part of JSON Schema (draft 2020-12) that our own schemas are written in, which is
less to carry than a library for all of it; the tests hold it against one. A keyword that it does
not know is refused when the schema is read, so nothing in a schema goes unheeded.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

__all__ = ["Problem", "check_schema", "problems"]


class Problem(NamedTuple):
    """What is wrong, and where: a JSON Pointer, empty for the whole document."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path or '/'}: {self.message}"


_SAID = {"$schema", "$id", "$defs", "title", "description", "examples", "default"}
_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list | tuple),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: (
        not isinstance(value, bool)
        and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
    ),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}


def problems(document: Any, schema: Mapping[str, Any], path: str = "") -> Iterator[Problem]:
    """What is wrong with *document*, in the order of the document."""
    return _Check(schema).of(document, schema, path)


def check_schema(schema: Mapping[str, Any]) -> None:
    """``ValueError`` unless every keyword of *schema* is one that is heeded here."""
    if unknown := schema.keys() - _RULES.keys() - _SAID - {"$ref", "anyOf"}:
        raise ValueError(f"Not heeded by this validator: {', '.join(sorted(unknown))}.")
    parts = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    parts += [*schema.get("anyOf", ())]
    parts += [schema[name] for name in ("items", "propertyNames") if name in schema]
    if isinstance(schema.get("additionalProperties"), Mapping):
        parts.append(schema["additionalProperties"])
    for part in parts:
        check_schema(part)


class _Check:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def of(self, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[Problem]:
        if "$ref" in schema:
            found = self._root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
            yield from self.of(value, found, path)
        if "anyOf" in schema:
            yield from self._any(value, schema["anyOf"], path)
        for name, rule in _RULES.items():
            if name in schema and (message := rule(value, schema[name])):
                yield Problem(path, message)
                if name == "type":
                    return
        if isinstance(value, Mapping):
            yield from self._members(value, schema, path)
        elif isinstance(value, list | tuple) and "items" in schema:
            for number, item in enumerate(value):
                yield from self.of(item, schema["items"], f"{path}/{number}")

    def _any(self, value: Any, choices: list[Any], path: str) -> Iterator[Problem]:
        """Where no choice fits, what the one says that is of the value's type."""
        found = [list(self.of(value, choice, path)) for choice in choices]
        if all(found):
            alien = [some[0].path == path and some[0].message.startswith(_TYPE) for some in found]
            if deeper := [
                some for some, is_alien in zip(found, alien, strict=True) if not is_alien
            ]:
                yield from min(deeper, key=len)
            else:
                names = " or ".join(choice["type"] for choice in choices)
                yield Problem(path, f"{_TYPE}{names}, not {type(value).__name__}")

    def _members(
        self, value: Mapping[Any, Any], schema: Mapping[str, Any], path: str
    ) -> Iterator[Problem]:
        declared = schema.get("properties", {})
        others = schema.get("additionalProperties", True)
        for name, item in value.items():
            where = f"{path}/{_escaped(name)}"
            if "propertyNames" in schema:
                yield from self.of(name, schema["propertyNames"], where)
            if name in declared:
                yield from self.of(item, declared[name], where)
            elif isinstance(others, Mapping):
                yield from self.of(item, others, where)
            elif not others:
                known = ", ".join(sorted(declared))
                yield Problem(where, f"there is no such field here. Known: {known}")


_TYPE = "must be of type "


def _type(value: Any, wanted: str | list[str]) -> str:
    names = [wanted] if isinstance(wanted, str) else wanted
    if any(_TYPES[name](value) for name in names):
        return ""
    return f"{_TYPE}{' or '.join(names)}, not {type(value).__name__}"


def _required(value: Any, names: list[str]) -> str:
    missing = [name for name in names if name not in value] if isinstance(value, Mapping) else []
    return f"{', '.join(map(repr, missing))} must be given" if missing else ""


def _bound(holds: Callable[[Any, Any], bool], words: str) -> Callable[[Any, Any], str]:
    def rule(value: Any, limit: Any) -> str:
        if not _TYPES["number"](value) or holds(value, limit):
            return ""
        return f"must be {words} {limit}, not {value!r}"

    return rule


def _length(kinds: Any, holds: Callable[[int, int], bool], words: str) -> Callable[[Any, Any], str]:
    def rule(value: Any, limit: int) -> str:
        if not isinstance(value, kinds) or holds(len(value), limit):
            return ""
        return f"must have {words} {limit} {'characters' if kinds is str else 'items'}"

    return rule


def _pattern(value: Any, pattern: str) -> str:
    if not isinstance(value, str) or re.search(pattern, value, re.ASCII):
        return ""
    return f"{value!r} does not fit the pattern {pattern}"


def _enum(value: Any, choices: list[Any]) -> str:
    if any(value == choice and type(value) is type(choice) for choice in choices):
        return ""
    return f"must be one of {', '.join(map(repr, choices))}, not {value!r}"


def _escaped(name: Any) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")


_RULES: dict[str, Callable[[Any, Any], str]] = {
    "type": _type,
    "enum": _enum,
    "required": _required,
    "minimum": _bound(lambda value, limit: value >= limit, "at least"),
    "maximum": _bound(lambda value, limit: value <= limit, "at most"),
    "exclusiveMinimum": _bound(lambda value, limit: value > limit, "above"),
    "minLength": _length(str, lambda size, limit: size >= limit, "at least"),
    "maxLength": _length(str, lambda size, limit: size <= limit, "at most"),
    "minItems": _length(list | tuple, lambda size, limit: size >= limit, "at least"),
    "maxItems": _length(list | tuple, lambda size, limit: size <= limit, "at most"),
    "minProperties": _length(Mapping, lambda size, limit: size >= limit, "at least"),
    "pattern": _pattern,
    # These are gone into, see _Check.
    "properties": lambda value, _: "",
    "additionalProperties": lambda value, _: "",
    "propertyNames": lambda value, _: "",
    "items": lambda value, _: "",
}
