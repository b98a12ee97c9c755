"""A client of the WebSocket for many runs."""

import json
from typing import Any
from uuid import UUID

from channels.testing import WebsocketCommunicator

from tasks.models import TaskRun

from .connections import PATIENCE, Headers, socket

PATH = "/ws/tasks/"


class Client:
    """A page with one socket: says commands, and reads what comes in the order it comes."""

    def __init__(self, query: str = "", headers: Headers = ()) -> None:
        self.ws: WebsocketCommunicator = socket(PATH, query, headers)

    async def open(self) -> "Client":
        assert await self.ws.connect(PATIENCE) == (True, None)
        return self

    async def say(self, op: str, **rest: Any) -> None:
        rest = {name: str(item) if isinstance(item, UUID) else item for name, item in rest.items()}
        await self.ws.send_json_to({"op": op, **rest})

    async def hear(self) -> Any:
        """The next frame."""
        message = await self.ws.receive_output(PATIENCE)
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def ask(self, op: str, **rest: Any) -> Any:
        """Say it, and hear the next frame, which is the answer."""
        await self.say(op, **rest)
        return await self.hear()

    async def events(self, *counts: tuple[TaskRun, int]) -> dict[UUID, list[int]]:
        """The seqs of so many events of each run; nothing else may come between them."""
        found: dict[UUID, list[int]] = {run.pk: [] for run, _ in counts}
        for _ in range(sum(count for _, count in counts)):
            frame = await self.hear()
            found[UUID(frame["run"])].append(frame["seq"])
        return found

    async def closed(self) -> int:
        message = await self.ws.receive_output(PATIENCE)
        assert message["type"] == "websocket.close", message
        assert message["reason"]
        await self.ws.wait(PATIENCE)
        code: int = message["code"]
        return code

    async def leave(self) -> None:
        await self.ws.disconnect(timeout=PATIENCE)
