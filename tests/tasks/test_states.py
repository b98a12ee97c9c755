"""Which state follows an attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.states import Ending, RunStatus, backoff, next_status


@pytest.mark.parametrize(
    ("ending", "attempt", "most", "status", "counted"),
    [
        (Ending.RETURNED, 1, 1, "SUCCESSFUL", True),
        (Ending.RAISED, 1, 1, "FAILED", True),
        (Ending.RAISED, 1, 2, "READY", True),
        (Ending.TIMED_OUT, 2, 2, "FAILED", True),
        (Ending.TIMED_OUT, 1, 2, "READY", True),
        (Ending.CANCELLED, 1, 9, "CANCELLED", True),
        (Ending.DRAINED, 1, 1, "READY", False),
        (Ending.LOST, 1, 3, "READY", True),
        (Ending.LOST, 3, 3, "FAILED", True),
    ],
)
def test_next(ending: Ending, attempt: int, most: int, status: str, counted: bool) -> None:
    following = next_status(ending, attempt, most, delay=1.0)
    assert following.status == status
    assert following.counted is counted


def test_a_lost_run_is_tried_again_at_once() -> None:
    assert next_status(Ending.LOST, 1, 3, delay=60).delay == 0
    assert next_status(Ending.RAISED, 1, 3, delay=60).delay == 60


@given(
    attempt=st.integers(1, 10_000),
    base=st.floats(0.01, 60),
    ceiling=st.floats(0.01, 3600),
)
def test_backoff_is_bounded_and_grows(attempt: int, base: float, ceiling: float) -> None:
    delay = backoff(attempt, base, ceiling)
    assert 0 < delay <= ceiling
    assert delay <= base * 2.0 ** min(attempt - 1, 64)
    assert delay >= min(ceiling, base) / 2


def test_the_statuses_are_the_frameworks() -> None:
    from tasks.compat import TaskResultStatus

    assert set(TaskResultStatus.values) < set(RunStatus.values)
