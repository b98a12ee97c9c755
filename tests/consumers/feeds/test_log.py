"""Pages of the stored log, bounded in bytes."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from consumers.feeds.chunk import CHUNK_BYTES, CHUNK_EVENTS
from consumers.feeds.log import StoredLog, read_page
from consumers.feeds.replay import Progress
from tasks.engine import store
from tasks.events import Event, envelope

from ..rows import stored

RUN = uuid4()


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """What the store has."""
    held: list[Event] = []

    def read_events(run_id: UUID, after: int, limit: int) -> list[Event]:
        return held[after : after + limit]

    monkeypatch.setattr(store, "read_events", read_events)
    return held


def fill(events: list[Event], count: int, size: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    data = '"' + "x" * size + '"'
    events += [Event(seq, "step", at, data) for seq in range(1, count + 1)]


def test_an_empty_log(events: list[Event]) -> None:
    assert read_page(RUN, 0, CHUNK_EVENTS) == ([], False)


@pytest.mark.parametrize("count", [1, 31, 32, 33, 100])
def test_a_short_log_may_grow(events: list[Event], count: int) -> None:
    fill(events, count, 10)
    page = read_page(RUN, 0, CHUNK_EVENTS)
    assert page.envelopes == [envelope(RUN, event).encode() for event in events]
    assert not page.full


@pytest.mark.parametrize("limit", [1, 31, 32, 33, CHUNK_EVENTS])
def test_a_full_page(events: list[Event], limit: int) -> None:
    fill(events, CHUNK_EVENTS, 10)
    page = read_page(RUN, 0, limit)
    assert len(page.envelopes) == limit
    assert page.full


@pytest.mark.parametrize("size", [2_000, 20_000, CHUNK_BYTES // 2, CHUNK_BYTES, 2 * CHUNK_BYTES])
def test_large_events_make_short_pages(
    events: list[Event], monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    fill(events, CHUNK_EVENTS, size)
    read: list[int] = []
    inner = store.read_events

    def counted(run_id: UUID, after: int, limit: int) -> list[Event]:
        read.append(limit)
        return inner(run_id, after, limit)

    monkeypatch.setattr(store, "read_events", counted)
    page = read_page(RUN, 0, CHUNK_EVENTS)
    assert page.full
    fits = max(1, CHUNK_BYTES // len(page.envelopes[0]))
    assert fits - 1 <= len(page.envelopes) <= fits  # the first ones are a few bytes shorter
    # What is read beside what is used is a probe's worth at most.
    assert sum(read) <= len(page.envelopes) + 32


def test_the_whole_log_whatever_the_sizes(events: list[Event]) -> None:
    fill(events, 50, 10)
    fill_at = datetime(2026, 1, 1, tzinfo=UTC)
    events += [
        Event(seq, "step", fill_at, '"' + "x" * (seq * 3_000) + '"') for seq in range(51, 130)
    ]
    found: list[bytes] = []
    while page := read_page(RUN, len(found), CHUNK_EVENTS).envelopes:
        found += page
    assert found == [envelope(RUN, event).encode() for event in events]


@pytest.mark.django_db(transaction=True)
async def test_from_the_database() -> None:
    run = await stored(events=3)
    other = await stored(events=2, finish=True)
    log = StoredLog()
    page = await log.read(run.pk, 1, 10)
    assert [b'"seq":2,' in line or b'"seq":3,' in line for line in page.envelopes] == [True, True]
    progress = await log.progress([run.pk, other.pk, uuid4()])
    assert progress == {run.pk: Progress(3, False), other.pk: Progress(2, True)}
    log.close()
    assert await log.progress([]) == {}
    log.close()
