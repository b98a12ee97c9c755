"""The text of several cursors: short, exact, and never taken for another's."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.feeds.chunk import Chunk
from consumers.refusal import Refusal
from consumers.streams.cursor import LARGEST
from consumers.streams.vector import Vector

from ..fakes import envelope_of

cursors = st.dictionaries(st.uuids(), st.integers(0, LARGEST) | st.integers(0, 70), min_size=1)


@given(cursors)
def test_what_goes_in_comes_out(where: dict[UUID, int]) -> None:
    vector = Vector(where)
    vector.place(where)
    text = vector.text.decode()
    assert Vector(reversed(list(where))).parse(text) == where


@given(cursors, st.text(alphabet="ABgh_-9 =é\x00", max_size=20), st.integers(0, 30))
def test_anything_else_is_refused(where: dict[UUID, int], noise: str, at: int) -> None:
    vector = Vector(where)
    vector.place(where)
    text = vector.text.decode()
    for wrong in (noise, text[:at], text + noise + "A", text[:at] + noise + "é"):
        if wrong != text:
            with pytest.raises(Refusal, match="these very runs"):
                vector.parse(wrong)


def test_of_another_set() -> None:
    one, two = uuid4(), uuid4()
    with pytest.raises(Refusal):
        Vector([one]).parse(Vector([two]).text.decode())


@pytest.mark.parametrize("tail", ["g" * 14 + "A", "_" * 12 + "f", "______________A", "g"])
def test_a_number_that_is_none(tail: str) -> None:
    vector = Vector([uuid4()])
    with pytest.raises(Refusal):
        vector.parse(vector.text.decode()[:8] + tail)


def test_each_event_has_the_vector_after_it() -> None:
    runs = [uuid4() for _ in range(3)]
    vector = Vector(runs)
    vector.place({runs[0]: 31, runs[1]: 40, runs[2]: 1_000})
    chunk = Chunk(32, [envelope_of(runs[0], 32), envelope_of(runs[0], 33)])
    found = [vector.parse(text.decode()) for text in vector.ids(runs[0], chunk)]
    assert found == [{runs[0]: seq, runs[1]: 40, runs[2]: 1_000} for seq in (32, 33)]
    assert vector.parse(vector.text.decode()) == found[-1]


def test_it_stays_small() -> None:
    runs = [uuid4() for _ in range(200)]
    vector = Vector(runs)
    vector.place(dict.fromkeys(runs, 10_000))
    assert len(vector.text) <= 8 + 200 * 3
