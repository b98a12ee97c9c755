"""What stands between daphne's protocol and an application that asks when it likes."""

import asyncio
from typing import Any

from asgi_app.inbox import MARK, Inbox
from consumers.asgi import Message


class Transport:
    def __init__(self) -> None:
        self.paused = False

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False


class Protocol:
    """As much of daphne's as an inbox knows."""

    def __init__(self) -> None:
        self.transport = Transport()
        self.application_queue: Any = asyncio.Queue()
        self.hear("connect")

    def hear(self, text: str) -> None:
        self.application_queue.put_nowait({"type": "websocket.receive", "text": text})


async def test_daphnes_queue_is_emptied_and_let_go() -> None:
    protocol = Protocol()
    theirs = protocol.application_queue
    inbox = Inbox(protocol, theirs.get)
    protocol.hear("early")

    heard = [(await inbox.receive())["text"]]
    protocol.hear("late")
    heard += [(await inbox.receive())["text"] for _ in range(2)]

    assert heard == ["connect", "early", "late"]
    assert theirs.empty()
    assert protocol.application_queue is inbox


async def test_a_middleware_that_reads_for_us_is_read_through() -> None:
    protocol = Protocol()
    theirs = protocol.application_queue

    async def receive() -> Message:
        message: Message = await theirs.get()
        return {**message, "text": message["text"].upper()}

    inbox = Inbox(protocol, receive)
    heard = [(await inbox.receive())["text"]]
    protocol.hear("late")
    heard += [(await inbox.receive())["text"]]
    assert heard == ["CONNECT", "LATE"]


async def test_too_much_is_left_to_the_socket() -> None:
    protocol = Protocol()
    inbox = Inbox(protocol, protocol.application_queue.get)
    await inbox.receive()
    for _ in range(3):
        protocol.hear("a" * (MARK // 2))
    assert protocol.transport.paused
    for _ in range(3):
        await inbox.receive()
    assert not protocol.transport.paused


async def test_nobody_asks_any_more() -> None:
    protocol = Protocol()
    inbox = Inbox(protocol, protocol.application_queue.get)
    await inbox.receive()
    for _ in range(3):
        protocol.hear("a" * (MARK // 2))
    inbox.close()
    assert not protocol.transport.paused
    assert protocol.application_queue is not inbox
