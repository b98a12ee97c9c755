"""Each benchmark, small: it runs, and its rows make sense. The figures mean nothing here."""

import math

import pytest

from tests.bench.__main__ import BENCHMARKS
from tests.bench.plan import Plan
from tests.bench.table import Table, Target

QUICK = {"burst", "results", "runners"}  # the others are begun with the soaks
SMALL = Plan(repeats=1, scale=0.002)


@pytest.mark.e2e
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in QUICK else pytest.mark.soak) for name in BENCHMARKS],
)
def test_gives_sane_rows(name: str) -> None:
    tables = BENCHMARKS[name](SMALL)
    assert tables
    for table in tables:
        assert table.rows
        for row in table.rows:
            assert len(row) == len(table.columns)
            numbers = [cell for cell in row if isinstance(cell, int | float)]
            # A ratio of two spans below the clock's tick is no number.
            assert all(number >= 0 or math.isnan(number) for number in numbers)
            assert any(number > 0 for number in numbers)


def test_table_lines_up_and_says_what_was_missed() -> None:
    targets = [Target("seconds", 2.0, 1), Target("ratio", 0.2, 0.25)]
    table = Table(
        "Title", ("", "s", "note"), [["first", 1234.5, "n"], ["b", 0.01234, None]], targets
    )
    assert str(table).splitlines() == [
        "Title",
        "            s  note",
        "-----  ------  ----",
        "first   1,234     n",
        "b      0.0123      ",
        "* seconds: 2.00, at most 1: MISSED",
        "* ratio: 0.2, at most 0.25: reached",
    ]
