"""Run ids sort by time and are read strictly."""

import pytest

from tasks.exceptions import MalformedRunId, RunDoesNotExist
from tasks.ids import new_run_id, parse_run_id


def test_version_and_variant() -> None:
    made = new_run_id()
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"


def test_sort_by_time() -> None:
    # Within a quarter of a microsecond, the clock's own step decides.
    made = [new_run_id() for _ in range(2000)]
    moments = [value.int >> 64 for value in made]
    assert moments == sorted(moments)
    assert len(set(made)) == len(made)


def test_parse() -> None:
    made = new_run_id()
    assert parse_run_id(made) == parse_run_id(str(made)) == parse_run_id(made.hex) == made


@pytest.mark.parametrize("value", ["", "7", "not-a-uuid", "0" * 33, None, 7, b"x"])
def test_malformed(value: str) -> None:
    with pytest.raises(MalformedRunId):
        parse_run_id(value)
    assert issubclass(MalformedRunId, RunDoesNotExist)
