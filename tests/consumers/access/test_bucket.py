"""Token buckets, and what is remembered of them."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.access.bucket import BURST, Bucket, Buckets

RATES = st.sampled_from([0.01, 0.5, 1.0, 3.0, 100.0, 1e6])
PAUSES = st.lists(st.sampled_from([0.0, 1e-6, 0.01, 0.3, 1.0, 7.0, 100.0]), max_size=60)


def most(rate: float) -> int:
    return max(1, round(rate * BURST))


@pytest.mark.parametrize("rate", [0.01, 0.3, 1.0, 3.0, 99.7, 1000.0])
def test_so_many_at_once_and_then_one_after_the_other(rate: float) -> None:
    bucket = Bucket()
    now = 1000.0
    whole = max(1, int(rate * BURST))
    assert [bucket.take(rate, now) for _ in range(whole)] == [0.0] * whole
    wait = bucket.take(rate, now)
    assert 0 < wait <= 1 / rate + 1e-9
    assert bucket.take(rate, now + wait * 0.9) > 0
    assert bucket.take(rate, now + wait + 1e-9) == 0.0
    assert bucket.take(rate, now + wait) > 0


@given(rate=RATES, pauses=PAUSES)
def test_never_more_than_the_burst_and_the_rate(rate: float, pauses: Sequence[float]) -> None:
    bucket = Bucket()
    now = taken = 0.0
    for pause in pauses:
        now += pause
        if not bucket.take(rate, now):
            taken += 1
        assert taken <= most(rate) + rate * now + 1e-3


@given(rate=RATES, steps=st.lists(st.tuples(st.sampled_from("abc"), PAUSES), max_size=10))
def test_who_is_forgotten_would_have_been_as_new(
    rate: float, steps: Sequence[tuple[str, Sequence[float]]]
) -> None:
    forgetful, all_ = Buckets(), {name: Bucket() for name in "abc"}
    now = 1.0
    for name, pauses in steps:
        for pause in pauses:
            now += pause
            assert forgetful.take(name, rate, now) == pytest.approx(all_[name].take(rate, now))


def test_they_are_forgotten() -> None:
    buckets = Buckets()
    for number in range(100_000):
        buckets.take(str(number), 10.0, number / 100)
    # Those of two fillings, and no address of the thousand seconds before.
    assert len(buckets) <= 2 * BURST * 100 + 1
