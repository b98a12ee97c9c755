"""Documents and the schemas they are held against."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from tasks.codec import decode, encode
from tasks.exceptions import InvalidSpec, InvalidValue
from tasks.specs.validation import Problem, problems

__all__ = ["check", "complain", "pipeline_schema", "read", "taskspec_schema"]


@cache
def taskspec_schema() -> Mapping[str, Any]:
    """The JSON Schema of a TaskSpec."""
    return _schema("tasks.specs", "taskspec.schema.json")


@cache
def pipeline_schema() -> Mapping[str, Any]:
    """The JSON Schema of a pipeline."""
    return _schema("tasks.pipelines", "pipeline.schema.json")


def read(file: Path) -> Any:
    """What a JSON file holds; :class:`InvalidSpec` if it is none."""
    try:
        return decode(file.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidSpec(f"{file} cannot be read as JSON: {error}") from error


def check(noun: str, document: Any, schema: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """A copy of *document*, which fits *schema*; :class:`InvalidSpec` says all that does not."""
    try:
        copy: dict[str, Any] = decode(encode(document))
    except InvalidValue as error:
        raise InvalidSpec(f"The {noun} is no JSON. {error}") from error
    complain(noun, problems(copy, schema, path))
    return copy


def complain(noun: str, found: Iterable[Problem]) -> None:
    """:class:`InvalidSpec` with all that was *found*, if that is anything."""
    if listed := list(map(str, found)):
        raise InvalidSpec(f"The {noun} is not valid. " + "; ".join(listed))


def _schema(package: str, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = decode((files(package) / name).read_text())
    return found
