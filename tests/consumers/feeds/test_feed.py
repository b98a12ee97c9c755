"""A feed: consecutive whatever it is offered, and bounded."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.feeds.chunk import Chunk
from consumers.feeds.feed import Feed, Place

from ..fakes import envelope_of, seqs

RUN = UUID("0197a3c4-5d6e-7f80-9a1b-2c3d4e5f6071")


class Ear:
    def __init__(self) -> None:
        self.woken = 0
        self.beats = 0

    def wake(self) -> None:
        self.woken += 1

    def beat(self) -> None:
        self.beats += 1


@pytest.fixture
def feed() -> Feed:
    return Feed(RUN, "group", 1_000_000)


def lines(first: int, last: int, end: str = "step") -> list[bytes]:
    types = ["step"] * (last - first) + [end]
    return [
        envelope_of(RUN, seq, type_) for seq, type_ in zip(seqs(first, last), types, strict=True)
    ]


def span(found: Chunk | Place) -> tuple[int, int]:
    assert isinstance(found, Chunk)
    return found.first, found.last


def test_consecutive_offers_join(feed: Feed) -> None:
    feed.offer(1, lines(1, 3))
    feed.offer(4, lines(4, 5))
    assert span(feed.read(0)) == (1, 5)
    assert span(feed.read(3)) == (4, 5)
    assert feed.read(5) is Place.CURRENT


def test_what_is_known_is_left_out(feed: Feed) -> None:
    feed.offer(1, lines(1, 3))
    ear = Ear()
    feed.listeners.add(ear)
    feed.offer(1, lines(1, 3))
    feed.offer(2, lines(2, 2))
    assert ear.woken == 0
    feed.offer(2, lines(2, 5))
    assert ear.woken == 1
    assert span(feed.read(0)) == (1, 5)


def test_a_gap_sends_those_before_it_to_the_log(feed: Feed) -> None:
    feed.offer(1, lines(1, 3))
    feed.offer(6, lines(6, 7))
    assert feed.read(3) is Place.BEHIND
    assert feed.read(4) is Place.BEHIND
    assert span(feed.read(5)) == (6, 7)


def test_what_comes_late_changes_nothing(feed: Feed) -> None:
    feed.offer(4, lines(4, 6))
    feed.offer(1, lines(1, 3))
    assert feed.read(0) is Place.BEHIND
    assert span(feed.read(3)) == (4, 6)


def test_the_database_may_be_ahead(feed: Feed) -> None:
    feed.offer(1, lines(1, 3))
    feed.note(5, finished=False)
    assert feed.read(3) is Place.BEHIND
    assert feed.read(5) is Place.CURRENT
    feed.offer(4, lines(4, 5))
    assert feed.read(5) is Place.CURRENT
    feed.offer(6, lines(6, 6))
    assert span(feed.read(5)) == (6, 6)


def test_an_older_note_changes_nothing(feed: Feed) -> None:
    feed.offer(1, lines(1, 3))
    ear = Ear()
    feed.listeners.add(ear)
    feed.note(2, finished=False)
    feed.note(3, finished=False)
    assert ear.woken == 0
    assert span(feed.read(0)) == (1, 3)


def test_a_cursor_may_be_ahead_of_the_feed(feed: Feed) -> None:
    assert feed.read(10) is Place.CURRENT
    feed.offer(8, lines(8, 12))
    assert span(feed.read(10)) == (11, 12)


def test_the_end_by_event(feed: Feed) -> None:
    feed.offer(1, lines(1, 3, "finished"))
    assert feed.finished
    assert span(feed.read(1)) == (2, 3)
    assert feed.read(3) is Place.FINISHED


def test_the_end_by_note(feed: Feed) -> None:
    feed.offer(1, lines(1, 2))
    feed.note(3, finished=True)
    assert feed.read(2) is Place.BEHIND
    assert feed.read(3) is Place.FINISHED


def test_closing_lets_what_is_here_be_read(feed: Feed) -> None:
    feed.offer(3, lines(3, 4))
    ear = Ear()
    feed.listeners.add(ear)
    feed.close()
    assert ear.woken == 1
    assert span(feed.read(2)) == (3, 4)
    assert feed.read(4) is Place.CLOSED
    assert feed.read(0) is Place.CLOSED


def test_a_finished_run_ends_its_streams_even_while_closing(feed: Feed) -> None:
    feed.offer(1, lines(1, 1, "finished"))
    feed.close()
    assert feed.read(1) is Place.FINISHED


def test_gone(feed: Feed) -> None:
    feed.vanish()
    feed.close()
    assert feed.read(0) is Place.GONE


def test_watchers_at_one_place_share_a_chunk(feed: Feed) -> None:
    feed.offer(1, lines(1, 9))
    assert feed.read(4) is feed.read(4)


def test_memory_is_bounded() -> None:
    size = len(envelope_of(RUN, 1000))
    feed = Feed(RUN, "group", 10 * size)
    feed.offer(1, lines(1, 1000))
    assert feed.head - feed.tail == 10
    assert feed.read(0) is Place.BEHIND
    assert span(feed.read(990)) == (991, 1000)


def test_a_gap_makes_room() -> None:
    size = len(envelope_of(RUN, 1000))
    feed = Feed(RUN, "group", 10 * size)
    feed.offer(1001, lines(1001, 1010))
    feed.offer(2001, lines(2001, 2010))
    assert span(feed.read(2000)) == (2001, 2010)


def test_an_event_larger_than_the_feed_goes_by_the_log() -> None:
    feed = Feed(RUN, "group", 10)
    feed.offer(1, lines(1, 1))
    assert feed.read(0) is Place.BEHIND
    assert feed.read(1) is Place.CURRENT


def test_beats_only_in_silence(feed: Feed) -> None:
    ear = Ear()
    feed.listeners.add(ear)
    feed.beat(silent=3600)
    assert ear.beats == 0
    feed.beat(silent=0)
    assert ear.beats == 1
    feed.beat(silent=3600)
    assert ear.beats == 1


@given(
    n=st.integers(1, 30),
    limit=st.integers(1, 5_000),
    data=st.data(),
)
def test_whatever_is_offered_a_chunk_is_the_log(n: int, limit: int, data: st.DataObject) -> None:
    """Any slices of the log in any order, and any notes, between reads at any cursor."""
    log = lines(1, n, "finished")
    feed = Feed(RUN, "group", limit)
    known = 0
    for _ in range(data.draw(st.integers(0, 12))):
        first = data.draw(st.integers(1, n))
        last = data.draw(st.integers(first, n))
        if data.draw(st.booleans()):
            feed.offer(first, log[first - 1 : last])
        else:
            feed.note(last, finished=last == n)
        known = max(known, last)
        assert feed.head == known
        assert feed.finished == (known == n)
        cursor = data.draw(st.integers(0, n))
        found = feed.read(cursor)
        if isinstance(found, Chunk):
            assert found.first == cursor + 1
            assert list(found.envelopes) == log[cursor : found.last]
        else:
            assert (found is Place.BEHIND) == (cursor < feed.tail)
