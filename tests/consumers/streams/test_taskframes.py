"""The shape of a StreamTask's events, as its pages parse it."""

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from consumers.feeds.chunk import Chunk
from consumers.streams.taskframes import TaskFrames
from tasks.events import Event, envelope
from tests.streamed.models import ExampleTask

AT = datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC)
NAMED = {"_task_id": 7, "_app": "streamed", "_model": "ExampleTask"}
STAMP = {"_timestamp": "2026-11-22T01:02:03.456789Z"}


RUN = UUID("0197a3c4-5d6e-7f80-9a1b-2c3d4e5f6071")


def block(type_: str, data: str, seq: int = 4) -> tuple[str, str, dict[str, object]]:
    """Id, name and data of the block of one event."""
    event = Event(seq, type_, AT, data)
    chunk = Chunk(seq, [envelope(RUN, event).encode()])
    text = TaskFrames(ExampleTask(pk=7)).of_chunk(chunk).decode()
    assert text.endswith("\n\n")
    id_, name, content = text[:-2].split("\n")
    assert (id_[:4], name[:7], content[:6]) == ("id: ", "event: ", "data: ")
    return id_[4:], name[7:], json.loads(content[6:])


@pytest.mark.parametrize(
    ("data", "own"),
    [
        ('{"step":1,"total":3}', {"step": 1, "total": 3}),
        ('{"type":"x","at":"\\"data\\":{"}', {"type": "x", "at": '"data":{'}),
        ("{}", {}),
        ("null", {"value": None}),
        ("[1,2]", {"value": [1, 2]}),
        ('"{text}"', {"value": "{text}"}),
    ],
)
def test_an_events_own_fields_and_ours(data: str, own: dict[str, object]) -> None:
    assert block("progress", data) == ("4-2c3d4e5f6071", "progress", {**own, **NAMED, **STAMP})


def test_ours_win() -> None:
    assert block("progress", '{"_task_id":99}')[2]["_task_id"] == 7


@pytest.mark.parametrize("type_", ["queued", "started", "retrying", "stopping"])
def test_what_headway_says_has_a_name_of_its_own(type_: str) -> None:
    assert block(type_, '{"a":1}')[1] == f"run.{type_}"


def test_a_name_that_the_log_cannot_have() -> None:
    wrapped = '{"event":"started","data":{"continue":false}}'
    assert block("stream", wrapped) == (
        "4-2c3d4e5f6071",
        "started",
        {"continue": False, **NAMED, **STAMP},
    )


def test_success_is_the_last_one() -> None:
    data = '{"status":"SUCCESSFUL","return_value":{"rows":3}}'
    _, name, content = block("finished", data)
    assert name == "run.finished"
    assert content["return_value"] == {"rows": 3}
    assert content["_final"] is True


def test_a_failure_is_an_error_with_its_type_and_message() -> None:
    data = '{"status":"FAILED","error":{"type":"shop.errors.Broken","message":"It broke."}}'
    _, name, content = block("finished", data)
    assert name == "error"
    assert content == {
        "status": "FAILED",
        "type": "shop.errors.Broken",
        "error_type": "Broken",
        "message": "It broke.",
        **NAMED,
        **STAMP,
        "_final": True,
    }


def test_a_stop_is_said() -> None:
    data = '{"status":"CANCELLED","error":{"type":"x.RunCancelled","message":"stop"}}'
    assert block("finished", data)[1] == "cancelled"


def test_it_is_made_once_for_all() -> None:
    event = envelope(uuid4(), Event(1, "tick", AT, "{}")).encode()
    chunk = Chunk(1, [event])
    frames = TaskFrames(ExampleTask(pk=7))
    assert frames.of_chunk(chunk) is TaskFrames(ExampleTask(pk=7)).of_chunk(chunk)


def test_a_key_that_is_no_number_is_text() -> None:
    key = uuid4()
    event = envelope(uuid4(), Event(1, "tick", AT, "{}")).encode()
    assert f'"_task_id":"{key}"'.encode() in TaskFrames(ExampleTask(pk=key)).frame(1, event)
