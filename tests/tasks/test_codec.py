"""JSON goes in and comes out unchanged, or is refused."""

import datetime
import math
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.codec import decode, encode
from tasks.exceptions import InvalidValue

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=20,
)


@given(values)
def test_comes_back_unchanged(value: Any) -> None:
    assert decode(encode(value)) == value


@given(values)
def test_is_one_line(value: Any) -> None:
    text = encode(value)
    assert "\n" not in text
    assert "\r" not in text


@pytest.mark.parametrize("value", ["123", 2**60, 2**200, "\x00", {"b": 1, "a": 2}, 1.0, "\u2028"])
def test_exact(value: Any) -> None:
    back = decode(encode(value))
    assert back == value
    assert type(back) is type(value)
    assert list(back) == list(value) if isinstance(value, dict) else True


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        [math.nan],
        b"bytes",
        {1: "int key"},
        {"deep": [{None: 1}]},
        {1, 2},
        datetime.datetime(2026, 1, 1),
        uuid.UUID(int=1),
        object,
        "\ud800",
    ],
    ids=repr,
)
def test_refused(value: Any) -> None:
    with pytest.raises(InvalidValue):
        encode(value)


def test_a_circle_is_refused() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(InvalidValue):
        encode(circle)


def test_the_message_names_the_type() -> None:
    with pytest.raises(InvalidValue, match="datetime"):
        encode({"at": datetime.datetime(2026, 1, 1)})
