"""An event stream of several runs, as a page would ask for it and read it."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from ..connections import HttpStream


class Event(NamedTuple):
    id: str
    run: UUID
    seq: int
    type: str


def parsed(body: bytes) -> list[Event]:
    """As a browser would see it: an id stays until there is another one."""
    found: list[Event] = []
    blocks = body.decode().split("\n\n")
    assert blocks.pop() == ""
    for block in blocks:
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        if "id" in fields:
            data = json.loads(fields["data"])
            assert fields["event"] == data["type"]
            found.append(Event(fields["id"], UUID(data["run"]), data["seq"], data["type"]))
    return found


def of_each(events: Iterable[Event]) -> dict[UUID, list[int]]:
    found: dict[UUID, list[int]] = {}
    for event in events:
        found.setdefault(event.run, []).append(event.seq)
    return found


def request(runs: Iterable[Any], query: str = "", **options: Any) -> HttpStream:
    names = "&".join(f"run={getattr(run, 'pk', run)}" for run in runs)
    return HttpStream("/tasks/events/", f"{names}&{query}", **options)


def after(last: Event) -> list[tuple[bytes, bytes]]:
    return [(b"last-event-id", last.id.encode())]


async def until(stream: HttpStream, count: int) -> list[Event]:
    body = b""
    while len(found := parsed(body)) < count:
        body += await stream.chunk()
    return found
