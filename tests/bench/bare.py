"""What daphne costs by itself: a queue for each client, and a send for each event.

The same paths, events and bytes as Headway's, without storage, rights and replay. In a
burst it is better than its word: Twisted joins what it has not written yet, which makes
two events a system call. Run as ``daphne tests.bench.bare:application``.
"""

import asyncio
import gc
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import parse_qs

from consumers.asgi import Receive, Scope, Send
from tests.bench.payload import TEXT, Pace

__all__ = ["application"]


class Frame(NamedTuple):
    """An event, made once for all."""

    last: bool
    sse: bytes
    text: str


class Room:
    """One run: everyone who watches it has a queue."""

    def __init__(self, count: int, rate: float) -> None:
        self.name = str(uuid.uuid4())
        self._count = count
        self._rate = rate
        self._opening = [self._frame(1, "queued", "null"), self._frame(2, "started", "null")]
        self._queues: list[asyncio.Queue[Frame]] = []

    async def events(self) -> AsyncIterator[Frame]:
        queue: asyncio.Queue[Frame] = asyncio.Queue()
        for frame in self._opening:
            queue.put_nowait(frame)
        self._queues.append(queue)
        while True:
            frame = await queue.get()
            yield frame
            if frame.last:
                return

    async def produce(self) -> None:
        pace = Pace(self._rate)
        for number in range(self._count):
            self._put("tick", number + 3, f'{{"n":{number},"text":"{TEXT}"}}')
            # Without it nothing is written before everything is queued.
            await pace.next()
        self._put("finished", self._count + 3, '{"status":"SUCCESSFUL","return_value":null}')

    def _put(self, type_: str, seq: int, data: str) -> None:
        frame = self._frame(seq, type_, data)
        for queue in self._queues:
            queue.put_nowait(frame)

    def _frame(self, seq: int, type_: str, data: str) -> Frame:
        at = datetime.now(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")
        envelope = (
            f'{{"run":"{self.name}","seq":{seq},"type":"{type_}","at":"{at}Z","data":{data}}}'
        )
        sse = f"id: {seq}\nevent: {type_}\ndata: {envelope}\n\n".encode()
        return Frame(type_ == "finished", sse, envelope)


rooms: dict[str, Room] = {}
producers: set[asyncio.Task[None]] = set()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    match scope["path"].strip("/").split("/"):
        case ["bench", "open"]:
            query = parse_qs(scope["query_string"].decode())
            room = Room(int(query["count"][0]), float(query["rate"][0]))
            rooms[room.name] = room
            await _answer(send, room.name)
        case ["bench", "go", name]:
            producers.add(asyncio.create_task(rooms.pop(name).produce()))
            await _answer(send, "gone")
        case ["bench", "collect"]:
            gc.collect()
            await _answer(send, "collected")
        case ["tasks", name, "events"]:
            await _stream(rooms[name], send)
        case ["ws", "tasks", name]:
            await _socket(rooms[name], receive, send)
        case _:
            await _answer(send, "bare")


async def _stream(room: Room, send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    async for frame in room.events():
        await send({"type": "http.response.body", "body": frame.sse, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _socket(room: Room, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    async for frame in room.events():
        await send({"type": "websocket.send", "text": frame.text})
    await send({"type": "websocket.close", "code": 1000})


async def _answer(send: Send, text: str) -> None:
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
