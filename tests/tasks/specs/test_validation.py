"""Our validator, held against the library for all of JSON Schema."""

from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.specs.documents import pipeline_schema, taskspec_schema
from tasks.specs.validation import check_schema, problems

SCHEMAS = [taskspec_schema(), pipeline_schema()]

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-200, 200)
    | st.floats(-2, 2)
    | st.text("a:=/. ", max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "=", ""]), inner, max_size=2)
    ),
    max_leaves=4,
)


def documents(schema: Mapping[str, Any], root: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """What is nearly a document of *schema*."""
    if "$ref" in schema:
        return documents(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root)
    if "anyOf" in schema:
        return st.one_of(*[documents(choice, root) for choice in schema["anyOf"]], values)
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) | values
    if "properties" in schema:
        fields = {name: documents(part, root) for name, part in schema["properties"].items()}
        some = st.fixed_dictionaries({}, optional=fields)
        return some | st.dictionaries(st.sampled_from(["name", "x"]), values, max_size=2)
    if isinstance(schema.get("additionalProperties"), Mapping):
        names = st.sampled_from(["day", "a=b", "9", ""])
        return st.dictionaries(names, documents(schema["additionalProperties"], root), max_size=2)
    if "items" in schema:
        return st.lists(documents(schema["items"], root), max_size=3) | values
    good = st.sampled_from(["name", "tests.app.tasks:add", "a b", "x" * 101, 1, 16, 1.0, 0, True])
    return good | values


@pytest.mark.parametrize("schema", SCHEMAS, ids=["taskspec", "pipeline"])
def test_every_keyword_of_ours_is_heeded(schema: Mapping[str, Any]) -> None:
    check_schema(schema)
    jsonschema.Draft202012Validator.check_schema(schema)


def test_a_keyword_that_would_go_unheeded_is_refused() -> None:
    with pytest.raises(ValueError, match="uniqueItems"):
        check_schema({"properties": {"a": {"type": "array", "uniqueItems": True}}})


@pytest.mark.parametrize("schema", SCHEMAS, ids=["taskspec", "pipeline"])
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_it_agrees_with_the_library(schema: Mapping[str, Any], data: st.DataObject) -> None:
    document = data.draw(documents(schema, schema))
    theirs = jsonschema.Draft202012Validator(schema).is_valid(document)
    ours = list(problems(document, schema))
    assert (not ours) == theirs, ours


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "/: must be of type object, not list"),
        ({"target": "a"}, "/: 'name' must be given"),
        ({"name": "a", "target": 7}, "/target: must be of type string or object, not int"),
        ({"name": "a", "target": "a b"}, "/target: 'a b' does not fit the pattern"),
        ({"name": "a", "target": {"command": []}}, "/target/command: must have at least 1 items"),
        ({"name": "a", "target": "b", "limits": {"memory_mb": "1"}}, "/limits/memory_mb: must be"),
        (
            {"name": "a", "target": "b", "limits": {"max_fds": 3}},
            "/limits/max_fds: must be at least",
        ),
        ({"name": "a", "target": "b", "timout": 3}, "/timout: there is no such field here. Known"),
        ({"name": "a", "target": "b", "timeout": 0}, "/timeout: must be above 0, not 0"),
        ({"name": "a", "target": "b", "env": {"A": 1}}, "/env/A: must be of type string, not int"),
        ({"name": "a", "target": "b", "runner": "fork"}, "/runner: must be one of 'auto', 'async'"),
    ],
)
def test_what_is_said(document: Any, said: str) -> None:
    found = [str(problem) for problem in problems(document, taskspec_schema())]
    assert any(line.startswith(said) for line in found), found
