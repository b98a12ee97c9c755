"""What comes over a WebSocket, to its close."""

import json
from typing import Any

from channels.testing import WebsocketCommunicator

from .connections import PATIENCE


async def opened(ws: WebsocketCommunicator) -> WebsocketCommunicator:
    assert await ws.connect(PATIENCE) == (True, None)
    return ws


async def text(ws: WebsocketCommunicator) -> str:
    message = await ws.receive_output(PATIENCE)
    assert message["type"] == "websocket.send", message
    found: str = message["text"]
    return found


async def envelopes(ws: WebsocketCommunicator) -> tuple[list[dict[str, Any]], int]:
    """Everything until the close, and its code."""
    found = []
    while (message := await ws.receive_output(PATIENCE))["type"] == "websocket.send":
        found += [json.loads(line) for line in message["text"].split("\n")]
    await ws.wait(PATIENCE)
    return found, message["code"]


async def closing(ws: WebsocketCommunicator) -> tuple[int, str]:
    """The close that follows, and nothing before it."""
    message = await ws.receive_output(PATIENCE)
    assert message["type"] == "websocket.close", message
    await ws.wait(PATIENCE)
    return message["code"], message["reason"]


async def refused(ws: WebsocketCommunicator) -> int:
    """The code of a refusal. It is accepted first: a browser would not see the code."""
    code, reason = await closing(await opened(ws))
    assert reason
    assert len(reason.encode()) <= 123
    return code
