"""Events: their types, their envelope, and the shape in which they cross the layer."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypedDict
from uuid import UUID

from tasks.codec import encode
from tasks.exceptions import InvalidEvent

__all__ = [
    "APPEND",
    "FINISHED",
    "LOG",
    "OUTPUT",
    "PIPELINE",
    "PROGRESS",
    "QUEUED",
    "RESERVED",
    "RETRYING",
    "STAGE_FINISHED",
    "STAGE_SKIPPED",
    "STAGE_STARTED",
    "STARTED",
    "STOPPING",
    "STREAM",
    "Event",
    "LayerBatch",
    "LayerMessage",
    "check_type",
    "encode_data",
    "envelope",
    "layer_batch",
    "layer_message",
    "new_event",
    "shard_group",
    "streamed",
]

QUEUED: Final = "queued"
STARTED: Final = "started"
PROGRESS: Final = "progress"
LOG: Final = "log"
OUTPUT: Final = "output"
APPEND: Final = "append"  # its data is a str that goes on where the last one ended
RETRYING: Final = "retrying"
STOPPING: Final = "stopping"
FINISHED: Final = "finished"
# A pipeline's: its plan, and what becomes of its stages.
PIPELINE: Final = "pipeline"
STAGE_STARTED: Final = "stage.started"
STAGE_FINISHED: Final = "stage.finished"
STAGE_SKIPPED: Final = "stage.skipped"
# A StreamTask's event whose name no type of the log can be: its data has both.
STREAM: Final = "stream"

# Written by the engine alone: a task that emitted "finished" would end its own stream.
RESERVED: Final = frozenset({QUEUED, STARTED, RETRYING, STOPPING, FINISHED})

_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)


class Event(NamedTuple):
    """One entry of a run's log. *data* is JSON text, the bytes that go on the wire."""

    seq: int
    type: str
    at: datetime
    data: str


def check_type(name: object) -> str:
    """*name*, if a task may emit an event of this type; else :class:`InvalidEvent`."""
    if not isinstance(name, str) or _TYPE.fullmatch(name) is None:
        raise InvalidEvent(
            f"{name!r} is no event type: a letter, then up to 63 letters, digits, '_', '.' or '-'."
        )
    if name in RESERVED:
        raise InvalidEvent(f"Events of type {name!r} are written by Headway itself.")
    return name


def streamed(name: object, data: object) -> tuple[str, object]:
    """Type and data for the log of a StreamTask's event; :class:`InvalidEvent` if it has none.

    Any line is a name: ``started``, which is Headway's in the log, and ``step 1`` as well.
    """
    if not isinstance(name, str) or not 0 < len(name) <= 64 or not name.isprintable():
        raise InvalidEvent(f"{name!r} is no name of an event: up to 64 printable characters.")
    if _TYPE.fullmatch(name) and name not in RESERVED and not name.startswith((STREAM, "run.")):
        return name, data
    return STREAM, {"event": name, "data": data}


def encode_data(type_: str, data: object, limit: int) -> str:
    """*data* of an event as JSON text; :class:`InvalidEvent` if that is longer than *limit*."""
    text = encode(data)
    size = len(text.encode())
    if size > limit:
        raise InvalidEvent(
            f"The data of this {type_!r} event has {size} bytes, above the limit of "
            f"{limit}: send it in parts, or a reference to it."
        )
    return text


def new_event(seq: int, type_: str, data: object) -> Event:
    """An event that happens now."""
    return Event(seq, type_, datetime.now(UTC), encode(data))


def envelope(run_id: UUID | str, event: Event) -> str:
    """The one JSON form of an event, the same on SSE, WebSocket and JSON pages.

    Times are RFC 3339 in UTC with microseconds. The text has no line break: JSON
    escapes them, so it is one line of an event stream.
    """
    at = event.at.isoformat(timespec="microseconds")
    if at.endswith("+00:00"):
        at = at[:-6] + "Z"
    return (
        f'{{"run":"{run_id}","seq":{event.seq},"type":"{event.type}","at":"{at}"'
        f',"data":{event.data}}}'
    )


class LayerBatch(TypedDict):
    """Consecutive events of one run: envelopes joined by a line feed, from seq *first*."""

    run: str
    first: int
    envelopes: bytes


class LayerMessage(TypedDict):
    """What the journal sends to a shard's group: one message a shard and flush."""

    type: str
    batches: list[LayerBatch]
    #: When it was sent, in microseconds since 1970; 0: unknown.
    at: int


def layer_message(batches: Sequence[LayerBatch], at: int = 0) -> LayerMessage:
    return {"type": "headway.events", "batches": list(batches), "at": at}


def layer_batch(run_id: UUID, events: Sequence[Event]) -> LayerBatch:
    run = str(run_id)
    envelopes = "\n".join([envelope(run, event) for event in events])
    return {"run": run, "first": events[0].seq, "envelopes": envelopes.encode()}


def shard_group(run_id: UUID, shards: int) -> str:
    """The Channels group that carries a run's events: one of *shards* (promise 8)."""
    # The low bits of a UUIDv7 are random, so the runs spread evenly.
    return f"headway.shard.{run_id.int % shards}"
