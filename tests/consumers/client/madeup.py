"""A server that is made up, and clients that ask it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from consumers.client import (
    Event,
    HeadwayClient,
    SyncHeadwayClient,
)
from consumers.wire import frame, opening
from tasks import events

RUN = "0197a3c4-5d6e-7f80-9a1b-2c3d4e5f6071"
AT = datetime(2026, 11, 22, tzinfo=UTC)
OPENING = opening(15)
MARK = "2c3d4e5f6071"  # of RUN, in the ids of a StreamTask's events
OTHER = "aaaaaaaaaaaa"
STREAM = {"content-type": "text/event-stream; charset=utf-8"}
Answer = httpx.Response | Exception


def log(first: int, last: int, *, end: bool = False) -> bytes:
    """Frames as the server writes them."""
    written = b""
    for seq in range(first, last + 1):
        type_ = "finished" if end and seq == last else "tick"
        event = events.Event(seq, type_, AT, '{"text":"a\u2028b\\n"}')
        written += frame(seq, events.envelope(RUN, event).encode())
    return written


def stream(*pieces: bytes) -> httpx.Response:
    return httpx.Response(200, headers=STREAM, content=b"".join(pieces))


def json_refusal(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": "No."}})


class Server:
    """Answers in this order, and keeps what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def cursors(self) -> list[str | None]:
        return [request.headers.get("Last-Event-ID") for request in self.requests]


Watch = Callable[..., Any]


async def asynchronous(
    server: Server, names: tuple[Any, ...], *, after: int | str = 0, **options: Any
) -> list[Event]:
    transport = httpx.MockTransport(server)
    async with HeadwayClient("http://site/app", transport=transport, **options) as client:
        watch: Watch = client.watch if len(names) == 1 else client.watch_task
        return [event async for event in watch(*names, after=after)]


async def synchronous(
    server: Server, names: tuple[Any, ...], *, after: int | str = 0, **options: Any
) -> list[Event]:
    transport = httpx.MockTransport(server)
    with SyncHeadwayClient("http://site/app", transport=transport, **options) as client:
        watch: Watch = client.watch if len(names) == 1 else client.watch_task
        return list(watch(*names, after=after))
