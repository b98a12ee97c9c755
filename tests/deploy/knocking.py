"""Connections and requests that keep coming while something is restarted."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

__all__ = ["CSRF", "Call", "Knocks", "knocking"]

#: A task's name and its arguments.
Call = tuple[str, list[Any]]

TOKEN = "a" * 32
CSRF = {"X-CSRFToken": TOKEN, "Cookie": f"csrftoken={TOKEN}"}


class Knocks:
    """What came of them."""

    def __init__(self) -> None:
        #: By status, or by the name of the error.
        self.answers: Counter[int | str] = Counter()
        #: Seconds that the slowest took.
        self.slowest = 0.0
        #: The runs that were enqueued, to be found again.
        self.ids: list[str] = []

    def __str__(self) -> str:
        return f"{dict(self.answers)}, the slowest in {self.slowest:.2f} s"


@asynccontextmanager
async def knocking(url: str, *calls: Call, hands: int) -> AsyncIterator[Knocks]:
    """Let *hands* clients ask, each over a new connection each time, until the block ends.

    They GET, and POST *calls*, in turn.
    """
    knocks = Knocks()
    over = asyncio.Event()
    # No connection is kept, so each request needs one that is accepted.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=30) as client:

        async def ask() -> None:
            turn = 0
            while not over.is_set():
                began = time.monotonic()
                await _ask(client, knocks, calls[turn % len(calls)] if turn % 2 else None)
                knocks.slowest = max(knocks.slowest, time.monotonic() - began)
                turn += 1

        async with asyncio.TaskGroup() as group:
            for number in range(hands):
                group.create_task(ask(), name=f"hand {number}")
            try:
                yield knocks
            finally:
                over.set()


async def _ask(client: httpx.AsyncClient, knocks: Knocks, call: Call | None) -> None:
    try:
        if call is None:
            answer = await client.get("/health/live")
        else:
            body = {"task": call[0], "args": call[1]}
            answer = await client.post("/tasks/", json=body, headers=CSRF)
    except httpx.TransportError as error:
        knocks.answers[type(error).__name__] += 1
        return
    knocks.answers[answer.status_code] += 1
    if answer.status_code == 201:
        knocks.ids.append(answer.json()["id"])
