"""Rate, time left, and when a report is due."""

import itertools
from typing import Any

import pytest

from tasks.surroundings.tracking import Meter


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the clock says; the test moves it."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def steps(meter: Meter, count: int) -> None:
    for _ in itertools.repeat(None, count):
        meter.step()


def test_rate_and_time_left(clock: list[float]) -> None:
    meter = Meter(range(100), None, "rows")
    assert meter.start() == {"done": 0, "total": 100, "message": "rows", "rate": None, "eta": None}
    steps(meter, 20)
    clock[0] += 2
    assert meter.report() | {"message": ""} == data(20, 100, 10.0, 8.0)


def test_what_was_done_before_is_no_part_of_the_rate(clock: list[float]) -> None:
    meter = Meter(range(50), None, "", done=50)
    steps(meter, 10)
    clock[0] += 1
    assert meter.report() == data(60, 100, 10.0, 4.0)


def test_an_unknown_total_is_known_at_the_end(clock: list[float]) -> None:
    meter = Meter(iter(range(5)), None, "")
    steps(meter, 5)
    clock[0] += 1
    assert meter.report() == data(5, None, 5.0, None)
    assert meter.end() == data(5, 5, 5.0, 0.0)


def test_reports_are_due_ten_times_a_second(clock: list[float]) -> None:
    meter = Meter(range(1000), None, "")
    due = 0
    for _ in range(1000):
        clock[0] += 0.001
        if meter.step():
            due += 1
            meter.report()
    assert due in (9, 10)


def test_a_clock_that_stands_still(clock: list[float]) -> None:
    meter = Meter(range(1), None, "")
    meter.step()
    assert meter.end()["rate"] is None


def data(done: int, total: int | None, rate: float, eta: float | None) -> dict[str, Any]:
    return {"done": done, "total": total, "message": "", "rate": rate, "eta": eta}
