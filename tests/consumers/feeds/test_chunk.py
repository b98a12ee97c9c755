"""Chunks: how much is written at once, and in which form."""

from uuid import UUID

import pytest

from consumers.feeds.chunk import CHUNK_BYTES, CHUNK_EVENTS, Chunk, fitting

from ..fakes import envelope_of

RUN = UUID("0197a3c4-5d6e-7f80-9a1b-2c3d4e5f6071")


def test_frames_are_numbered_from_the_first() -> None:
    chunk = Chunk(8, [envelope_of(RUN, seq) for seq in (8, 9)])
    assert (chunk.first, chunk.last) == (8, 9)
    assert chunk.frames.startswith(b"id: 8\nevent: step\ndata: {")
    assert chunk.frames.count(b"\n\n") == 2
    assert b"\n\nid: 9\n" in chunk.frames


def test_frames_are_made_once() -> None:
    chunk = Chunk(1, [envelope_of(RUN, 1)])
    assert chunk.frames is chunk.frames
    assert chunk.messages is chunk.messages
    assert chunk.message is chunk.message


def test_it_weighs_what_all_its_forms_take() -> None:
    chunk = Chunk(1, [envelope_of(RUN, seq) for seq in range(1, 100)])
    forms = [*chunk.envelopes, chunk.frames, chunk.messages, chunk.message]
    assert chunk.weight >= sum(map(len, forms))


def test_only_the_last_event_ends_a_log() -> None:
    assert not Chunk(1, [envelope_of(RUN, 1)]).ends_log
    assert Chunk(1, [envelope_of(RUN, 1), envelope_of(RUN, 2, "finished")]).ends_log


@pytest.mark.parametrize(
    ("sizes", "start", "count"),
    [
        ([10], 0, 1),
        ([10] * 5, 2, 3),
        ([10] * (CHUNK_EVENTS + 5), 0, CHUNK_EVENTS),
        ([CHUNK_BYTES], 0, 1),
        ([CHUNK_BYTES, 1], 0, 1),
        ([CHUNK_BYTES + 1, 1], 0, 1),  # larger than a chunk may be, but it has to go
        ([1, CHUNK_BYTES + 1], 0, 1),
        ([CHUNK_BYTES // 4] * 6, 0, 4),
        ([CHUNK_BYTES // 4] * 6, 5, 1),
    ],
)
def test_fitting(sizes: list[int], start: int, count: int) -> None:
    assert fitting([b"x" * size for size in sizes], start) == count


def test_weight_covers_both_forms() -> None:
    chunk = Chunk(1, [envelope_of(RUN, seq) for seq in range(1, 100)])
    assert chunk.weight >= sum(map(len, chunk.envelopes)) + len(chunk.frames)
