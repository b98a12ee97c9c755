"""Types, envelopes, and the message that crosses the layer."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.events import (
    RESERVED,
    Event,
    check_type,
    envelope,
    layer_batch,
    new_event,
    shard_group,
)
from tasks.exceptions import InvalidEvent
from tasks.ids import new_run_id

RUN = UUID("0197a3c4-5d6e-7f80-9a1b-2c3d4e5f6071")


@pytest.mark.parametrize("name", ["a", "progress", "order.shipped", "A-1_b.c", "x" * 64])
def test_good_types(name: str) -> None:
    assert check_type(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "1a", "a b", "a\nb", "progress\n", "a:b", "é", "x" * 65, None, 7, *sorted(RESERVED)],
)
def test_bad_types(name: object) -> None:
    with pytest.raises(InvalidEvent):
        check_type(name)


def test_envelope() -> None:
    event = Event(7, "progress", datetime(2026, 11, 21, 16, 4, 5, tzinfo=UTC), '{"done":1}')
    assert json.loads(envelope(RUN, event)) == {
        "run": str(RUN),
        "seq": 7,
        "type": "progress",
        "at": "2026-11-21T16:04:05.000000Z",
        "data": {"done": 1},
    }


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_an_envelope_is_one_line_and_stays_json(text: str) -> None:
    line = envelope(RUN, new_event(1, "tick", {"type": text, text: text}))
    assert "\n" not in line
    assert "\r" not in line
    assert json.loads(line)["data"]["type"] == text or text == "type"


def test_a_batch_is_lines_of_envelopes() -> None:
    events = [new_event(seq, "tick", seq) for seq in (4, 5, 6)]
    batch = layer_batch(RUN, events)
    lines = batch["envelopes"].split(b"\n")
    assert batch["first"] == 4
    assert [json.loads(line)["seq"] for line in lines] == [4, 5, 6]


def test_runs_spread_over_the_shards() -> None:
    groups = [shard_group(new_run_id(), 8) for _ in range(800)]
    assert len(set(groups)) == 8
    assert max(groups.count(group) for group in set(groups)) < 200
