"""What all feeds keep together is bounded, and nobody misses an event for it."""

from uuid import uuid4

from consumers.feeds.chunk import Chunk
from consumers.feeds.feed import Feed, Place
from consumers.feeds.memory import Memory

from ..fakes import envelope_of, seqs

LIMIT = 20_000


def feed(memory: Memory) -> Feed:
    return Feed(uuid4(), "group", LIMIT, memory)


def lines(of: Feed, first: int, last: int) -> list[bytes]:
    return [envelope_of(of.run_id, seq) for seq in seqs(first, last)]


def test_who_was_quiet_longest_forgets() -> None:
    memory = Memory(LIMIT)
    quiet, busy = feed(memory), feed(memory)
    quiet.offer(1, lines(quiet, 1, 10))
    assert isinstance(quiet.read(0), Chunk)
    for seq in seqs(1, 300):
        busy.offer(seq, lines(busy, seq, seq))
        assert memory.used <= LIMIT
    assert quiet.read(0) is Place.BEHIND  # the log has them
    assert quiet.read(10) is Place.CURRENT
    assert isinstance(busy.read(299), Chunk)


def test_what_is_made_for_the_readers_counts() -> None:
    memory = Memory(LIMIT)
    one = feed(memory)
    one.offer(1, lines(one, 1, 20))
    kept = memory.used
    one.read(0)
    assert memory.used > 2 * kept


def test_one_that_alone_is_too_large_is_read_all_the_same() -> None:
    memory = Memory(100)
    one = feed(memory)
    one.offer(1, lines(one, 1, 1))
    assert memory.used == 0
    assert one.read(0) is Place.BEHIND
    one.offer(2, lines(one, 2, 2))
    assert (one.tail, one.head) == (2, 2)


def test_a_feed_that_is_closed_for_good_leaves_nothing() -> None:
    memory = Memory(LIMIT)
    one = feed(memory)
    one.offer(1, lines(one, 1, 3))
    memory.leave(one)
    memory.leave(one)
    assert memory.used == 0
