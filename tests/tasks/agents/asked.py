"""What an agent in a test is asked, and what its log tells."""

import json
from typing import Any

from tasks.handles import Handle
from tasks.models import TaskEvent
from tests.tasks.agents import cast
from tests.tasks.agents.endpoint import (
    DONE,
    Endpoint,
    Reply,
    calling,
    finish,
    saying,
    streamed,
    usage,
)

__all__ = ["call", "data", "outcome"]


async def data(handle: Handle, type_: str) -> list[Any]:
    """What the run's events of a type hold."""
    events = TaskEvent.objects.filter(run_id=handle.run_id, type=type_).order_by("seq")
    return [json.loads(event.data) async for event in events]


def call(name: str, arguments: object, id_: str = "c1") -> Reply:
    """A turn that calls a tool."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return streamed(calling(0, id_, name, text), finish("tool_calls"), usage(10, 5), DONE)


async def outcome(endpoint: Endpoint, name: str, arguments: object) -> dict[str, Any]:
    """What the log says of a call that the model makes."""
    endpoint.will(call(name, arguments), saying("So."))
    handle = await cast.helper.aenqueue("Do it.")
    assert (await handle.await_result(20))["text"] == "So."
    (found,) = await data(handle, "agent.tool")
    assert isinstance(found, dict)
    return found
