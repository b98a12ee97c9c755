"""The Python client and the streams of StreamTasks."""

from typing import Any

import pytest

from consumers.client import (
    Event,
)

from .madeup import AT, MARK, OTHER, Server, Watch, stream


def task_block(seq: int | None, name: str, log: str = MARK, **data: Any) -> bytes:
    at = '"_timestamp":"2026-11-22T00:00:00Z"'
    fields = "".join(f'"{key}":{value},' for key, value in data.items())
    head = f"id: {seq}-{log}\n" if seq else "retry: 2000\n"
    return f'{head}event: {name}\ndata: {{{fields}"_task_id":1,{at}}}\n\n'.encode()


async def test_a_stream_task(watch: Watch) -> None:
    server = Server(
        stream(task_block(None, "run.pending")),
        stream(b"retry: 1000\n", task_block(1, "start", a=5), b": heartbeat\n"),
        stream(task_block(2, "error", b=1), task_block(3, "error", _final="true")),
    )
    found = await watch(server, ("shop", "Some/Task", 1))
    assert found[0] == Event(1, "start", AT, {"a": 5, "_task_id": 1}, False, id=f"1-{MARK}")
    # An author's own "error" is not the end.
    assert [(event.type, event.last) for event in found[1:]] == [("error", False), ("error", True)]
    assert server.requests[0].url.raw_path == b"/app/stream/shop/Some%2FTask/1"
    assert server.cursors == [None, None, f"1-{MARK}"]


async def test_a_stream_task_that_is_started_again(watch: Watch) -> None:
    again = [task_block(1, "start", OTHER), task_block(2, "progress", OTHER)]
    server = Server(
        stream(*[task_block(seq, "progress") for seq in (1, 2, 3)]),
        stream(*again),
        stream(task_block(4, "progress", OTHER)),  # 3 is missing
        stream(task_block(2, "progress", OTHER), task_block(3, "error", OTHER, _final="true")),
    )
    found = await watch(server, ("Task", 1))
    assert [event.id for event in found[3:]] == [f"{seq}-{OTHER}" for seq in (1, 2, 3)]
    assert server.cursors == [None, f"3-{MARK}", f"2-{OTHER}", f"2-{OTHER}"]


@pytest.mark.parametrize("after", [2, f"2-{MARK}", f"9-{OTHER}"])
async def test_a_stream_task_after_an_event(watch: Watch, after: int | str) -> None:
    first = 1 if after == f"9-{OTHER}" else 3
    blocks = [task_block(seq, "progress") for seq in range(first, 5)]
    server = Server(stream(*blocks, task_block(5, "run.finished", _final="true")))
    found = await watch(server, ("Task", 1), after=after)
    assert [event.seq for event in found] == list(range(first, 6))
    assert server.cursors == [str(after)]


async def test_all_that_is_left_of_a_stream_task_is_its_end(watch: Watch) -> None:
    server = Server(stream(task_block(1, "run.finished", _final="true")))
    found = await watch(server, ("Task", 1), after=f"5-{MARK}")
    assert [event.last for event in found] == [True]
