"""What a model is told of a function, and what is refused at once."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest
from django.core.exceptions import ImproperlyConfigured

from tasks.agents.hints import schema_of
from tasks.agents.tools import Tool, tools_by_name


class Place(TypedDict):
    city: Annotated[str, "in English"]
    floor: NotRequired[int]


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (str, {"type": "string"}),
        (bool, {"type": "boolean"}),
        (None, {"type": "null"}),
        (Any, {}),
        (list, {"type": "array"}),
        (list[float], {"type": "array", "items": {"type": "number"}}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (Literal["a", 1], {"enum": ["a", 1]}),
        (
            Annotated[int, "a number", "of pages"],
            {"type": "integer", "description": "a number of pages"},
        ),
        (
            Place,
            {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "in English"},
                    "floor": {"type": "integer"},
                },
                "required": ["city"],
                "additionalProperties": False,
            },
        ),
    ],
)
def test_hints(hint: Any, schema: dict[str, Any]) -> None:
    assert schema_of(hint) == schema


@pytest.mark.parametrize("hint", [bytes, set[str], tuple[int, ...], dict[int, str], Place | bytes])
def test_hints_without_a_form(hint: Any) -> None:
    with pytest.raises(TypeError):
        schema_of(hint)


def no_hint(a) -> None:  # type: ignore[no-untyped-def]
    """One."""


def of_bytes(a: bytes) -> None:
    """Two."""


def anything(*args: int) -> None:
    """Three."""


def by_place(a: int, /) -> None:
    """Four."""


def sync_with_context(context: Any) -> None:
    """Five."""


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (no_hint, "has no type hint"),
        (of_bytes, "'a' of the tool of_bytes.*has no form in JSON"),
        (anything, "cannot be given by name"),
        (by_place, "cannot be given by name"),
        (sync_with_context, "must be async"),
        (print, "A tool is a function"),
        (lambda: None, "A tool is a function"),
    ],
)
def test_what_cannot_be_a_tool(function: Any, says: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=says):
        Tool.of(function)


def test_two_of_one_name() -> None:
    with pytest.raises(ImproperlyConfigured, match="Two tools have the name 'of_nothing'"):
        tools_by_name([of_nothing, of_nothing])


def of_nothing() -> None:
    """Six."""
