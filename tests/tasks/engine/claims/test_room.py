"""Which queues a process takes runs from, and how many of each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.engine.claims.room import Room
from tasks.engine.store import Slot
from tasks.settings.queues import are_limits, names, parse

NAMES = st.sampled_from(["mail", "reports", "video", "*"])
QUEUES = st.dictionaries(NAMES, st.none() | st.integers(1, 5))


@pytest.mark.parametrize(
    ("text", "queues"),
    [
        ("mail:5,reports,*:20", {"mail": 5, "reports": None, "*": 20}),
        (" mail : 5 ,, reports ", None),
        ("mail", {"mail": None}),
        ("*", {"*": None}),
    ],
)
def test_queues_as_text(text: str, queues: dict[str, int | None] | None) -> None:
    if queues is None:
        with pytest.raises(ValueError, match="is no queue"):
            parse(text)
    else:
        assert parse(text) == queues
        assert are_limits(queues)


@pytest.mark.parametrize(
    "text", ["mail:", ":5", "mail:0", "mail:-1", "mail:many", "a:1:2", "", ","]
)
def test_what_names_no_queue(text: str) -> None:
    with pytest.raises(ValueError, match="queue"):
        parse(text)


def test_a_queue_is_named_once() -> None:
    with pytest.raises(ValueError, match="'mail' is named twice"):
        parse("mail,mail:3")


def taken(queues: dict[str, int | None], concurrency: int, waiting: list[str]) -> list[str]:
    """What of *waiting* a process takes that claims one after another until it has no room."""
    room, found = Room(queues, concurrency), []
    for name in waiting:
        if any(slot.limit > 0 and slot.takes(name) for slot in room.slots()):
            room.take(name)
            found.append(name)
    return found


def test_none_named_takes_from_all() -> None:
    assert Room({}, 7).slots().__next__() == Slot(7)
    assert taken({}, 2, ["a", "b", "c"]) == ["a", "b"]


def test_only_from_those_named() -> None:
    assert taken({"mail": 1, "reports": None}, 9, ["mail", "mail", "other", "reports"]) == [
        "mail",
        "reports",
    ]


@given(QUEUES, st.integers(1, 5), st.lists(st.sampled_from(["mail", "reports", "video", "x", "y"])))
def test_limits_hold_and_are_used(
    queues: dict[str, int | None], concurrency: int, waiting: list[str]
) -> None:
    found = taken(queues, concurrency, waiting)
    given_limits = queues or {"*": None}
    pools: dict[str, tuple[int, int]] = {}  # of each pool: how many it takes, how many wanted it
    for name in waiting:
        entry = name if name in given_limits else "*"
        if entry in given_limits:
            limit = given_limits[entry]
            pool = entry if limit is not None else "shared"
            full = concurrency if limit is None else limit
            pools[pool] = (full, pools.get(pool, (full, 0))[1] + 1)
    assert len(found) == sum(min(pair) for pair in pools.values())


@given(QUEUES)
def test_no_queue_is_in_two_slots(queues: dict[str, int | None]) -> None:
    slots = list(Room(queues, 3).slots())
    for name in ("mail", "reports", "video", "x"):
        served = name in queues or "*" in queues or not queues
        assert sum(slot.takes(name) for slot in slots) == served
        assert served == (not names(queues) or name in names(queues))


def test_room_is_given_back() -> None:
    room = Room({"mail": 1}, 9)
    seen = []
    for change in (room.take, room.free):
        change("mail")
        seen.append((room.is_unused, [slot.limit for slot in room.slots()]))
    assert seen == [(False, [0]), (True, [1])]
