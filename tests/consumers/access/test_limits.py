"""Limits on streams: what is counted, and who is refused."""

import random
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from consumers.access.limits import Limits, Pace, Seat
from consumers.refusal import TooMany
from consumers.wire import CloseCode

from .visits import VISITOR, allow, of, user

pytestmark = pytest.mark.usefixtures("limits")


def test_a_process_has_so_many(settings: Any, limits: Limits) -> None:
    allow(settings, streams=2)
    first, second = (limits.enter(of(None), "sse") for _ in range(2))
    with pytest.raises(TooMany) as refused:
        limits.enter(of(VISITOR), "sse")
    assert (refused.value.status, refused.value.close_code) == (503, CloseCode.TOO_MANY)
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 10
    assert limits.held("address", VISITOR) == 0  # it was refused as a whole
    first.release()
    first.release()
    limits.enter(of(VISITOR), "sse")
    with pytest.raises(TooMany):
        limits.enter(of(None), "sse")
    second.release()


def test_an_address_has_so_many_and_this_machine_any_number(settings: Any, limits: Limits) -> None:
    allow(settings, address_streams=2)
    for _ in range(2):
        limits.enter(of(VISITOR), "sse")
    with pytest.raises(TooMany):
        limits.enter(of(VISITOR), "websocket")
    for address in ("192.0.2.8", "127.0.0.1", "127.0.0.1", "127.0.0.1"):
        limits.enter(of(address), "sse")
    assert limits.held("process") == 6


def test_a_user_has_so_many_wherever_they_are(settings: Any, limits: Limits) -> None:
    allow(settings, user_streams=2)
    for address in (VISITOR, "192.0.2.8"):
        limits.enter(of(address), "sse").hold_for(user(7))
    with limits.enter(of("192.0.2.9"), "sse") as seat, pytest.raises(TooMany):
        seat.hold_for(user(7))
    assert limits.held("process") == 2
    for other in (8, None, None, None):
        limits.enter(of(None), "sse").hold_for(user(other))


def test_an_address_comes_so_often(settings: Any, limits: Limits) -> None:
    allow(settings, connect_rate=0.5)
    for _ in range(5):
        limits.enter(of(VISITOR), "sse").release()
    with pytest.raises(TooMany) as refused:
        limits.enter(of(VISITOR), "sse")
    assert int(refused.value.headers["Retry-After"]) >= 2
    assert limits.held("process") == 0
    limits.enter(of("192.0.2.8"), "sse").release()


def test_zero_is_no_limit(settings: Any, limits: Limits) -> None:
    names = ("streams", "user_streams", "address_streams", "connect_rate", "message_rate")
    allow(settings, **dict.fromkeys(names, 0))
    pace = Pace()
    for _ in range(20_000):
        limits.enter(of(VISITOR), "sse").hold_for(user(1))
        pace.step()
    assert limits.held("user", "1") == 20_000


def test_who_talks_too_fast_is_told(settings: Any) -> None:
    allow(settings, message_rate=1)
    pace = Pace()
    for _ in range(10):
        pace.step()
    with pytest.raises(TooMany):
        pace.step()


STEPS = st.lists(
    st.tuples(
        st.sampled_from([None, "192.0.2.1", "192.0.2.2", "2001:db8::1"]),
        st.sampled_from([None, 1, 2]),
        # What becomes of the view: it is done, it fails, or its stream lives on.
        st.sampled_from(["done", "fails", "kept", "kept twice", "late"]),
    ),
    max_size=60,
)


@given(steps=STEPS, rng=st.randoms(use_true_random=False))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counts_are_what_is_open(settings: Any, steps: Any, rng: random.Random) -> None:
    allow(settings, streams=12, user_streams=5, address_streams=6)
    limits = Limits()
    kept: list[tuple[Seat, str | None, int | None]] = []
    for address, who, fate in steps:
        with suppress(TooMany, LookupError), limits.enter(of(address), "sse") as seat:
            seat.hold_for(user(who))
            if fate.startswith("kept"):
                kept.append((seat.keep(), address, who))
            if fate == "fails":
                raise LookupError
        if fate == "late":
            seat.hold_for(user(who))  # whose request is over already
        if kept and rng.random() < 0.4:
            ended, _, _ = kept.pop(rng.randrange(len(kept)))
            for _ in range(rng.randint(1, 3)):
                ended.release()
        assert limits.held("process") == len(kept) <= 12
        for number in (1, 2):
            assert limits.held("user", str(number)) == sum(w == number for _, _, w in kept) <= 5
        addresses = Counter(address for _, address, _ in kept)
        for one in ("192.0.2.1", "192.0.2.2"):
            assert limits.held("address", one) == addresses[one] <= 6
    for seat, _, _ in kept:
        seat.release()
    assert limits._held == {}  # nobody is remembered for having been here
