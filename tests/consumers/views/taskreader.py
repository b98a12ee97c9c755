"""A StreamTask's viewer, and the tasks to look at."""

import json
from typing import Any, NamedTuple

from tasks.coordinator import coordinator
from tasks.exceptions import TaskFailed
from tasks.handles import Handle
from tasks.models import StreamTask

from ..connections import Headers, HttpStream

JSON = [(b"accept", b"application/json")]


class Block(NamedTuple):
    id: str | None
    event: str
    data: dict[str, Any]


def blocks(body: bytes) -> list[Block]:
    found = []
    for text in body.decode().removeprefix("retry: 1000\n: heartbeat 15\n").split("\n\n")[:-1]:
        lines = [line for line in text.split("\n") if not line.startswith((":", "retry:"))]
        fields = dict(line.split(": ", 1) for line in lines)
        found.append(Block(fields.get("id"), fields["event"], json.loads(fields["data"])))
    return found


def ids(task: StreamTask, last: int) -> list[str]:
    """Those of the events of its newest run."""
    return [f"{seq}-{str(task.run_id)[-12:]}" for seq in range(1, last + 1)]


def path(task: StreamTask) -> str:
    return f"/stream/{type(task).__name__}/{task.pk}"


async def read(task: StreamTask, after: str | None = None) -> list[Block]:
    stream = await HttpStream(path(task), headers=had(after)).open()
    assert stream.status == 200, stream.content
    return blocks(await stream.body())


def had(id_: str | None) -> Headers:
    return [] if id_ is None else [(b"last-event-id", id_.encode())]


async def state(task: StreamTask) -> Any:
    return (await HttpStream(path(task), headers=JSON).open()).json


async def made(model: type[StreamTask], **fields: Any) -> Any:
    return await model._default_manager.acreate(**fields)


async def finished(task: StreamTask) -> Handle:
    handle = await coordinator.start_task(task)
    assert isinstance(handle, Handle)
    try:
        await handle.await_result(20)
    except TaskFailed:
        await handle.arefresh()
    await task.arefresh_from_db()
    return handle
