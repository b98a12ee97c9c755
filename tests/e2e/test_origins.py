"""A page of another origin, in a real browser, watches with a grant and without a cookie."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Page

from tests.browser import Console, launched
from tests.chaos.service.client import enqueue
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import Serve

from .test_rights import Hands

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

COUNT = 5

# Each gives how it ended, and the seqs that came.
SOURCE = """([url, grant]) => new Promise((resolve) => {
  const seqs = [];
  const source = new EventSource(`${url}?grant=${grant}`);
  const take = ({ data }) => seqs.push(JSON.parse(data).seq);
  for (const type of ["queued", "started", "tick", "finished"]) source.addEventListener(type, take);
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) resolve(["closed", seqs]);
  };
})"""

FETCH = """async ([url, grant]) => {
  const headers = { Authorization: `Bearer ${grant}`, "Last-Event-ID": "2" };
  try {
    const response = await fetch(url, { headers });
    const text = await response.text();
    return [response.status, [...text.matchAll(/^id: (\\d+)/gm)].map((id) => Number(id[1]))];
  } catch (error) {
    return [error.name, []];
  }
}"""

SOCKET = """([url, grant]) => new Promise((resolve) => {
  const seqs = [];
  const socket = new WebSocket(url, ["headway", `headway.grant.${grant}`]);
  socket.onmessage = ({ data }) => seqs.push(JSON.parse(data).seq);
  socket.onclose = ({ code }) => resolve([code, seqs]);
})"""


@asynccontextmanager
async def app() -> AsyncIterator[str]:
    """An origin with an empty page. A real one: what is made up may not ask this machine."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n")
        writer.write(b"<!DOCTYPE html><title>app</title><link rel=icon href=data:,>")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"


class Ways:
    """The three ways of a page to a run."""

    def __init__(self, page: Page, server: LiveServer, run_id: str) -> None:
        self.run_id = run_id
        self._page = page
        self._events = f"{server.url}/tasks/{run_id}/events/"
        self._socket = f"{server.ws_url}/ws/tasks/{run_id}/"

    async def __call__(self, grant: str) -> dict[str, Any]:
        ask: Callable[..., Awaitable[Any]] = self._page.evaluate
        return {
            "EventSource": await ask(SOURCE, [self._events, grant]),
            "fetch": await ask(FETCH, [self._events, grant]),
            "WebSocket": await ask(SOCKET, [self._socket, grant]),
        }


async def test_a_page_of_another_origin(serve: Serve, ledger: Ledger) -> None:
    async with app() as declared, app() as other, launched() as browser:
        server = serve(authz=None, cors_origins=declared)
        await asyncio.to_thread(server.start)
        run_id = await asyncio.to_thread(enqueue, server, "emit", COUNT)
        await ledger.until_finished(run_id)
        page = await (await browser.new_context()).new_page()
        await watched(page, Ways(page, server, run_id), Hands(server), (declared, other))


async def watched(page: Page, ways: "Ways", hands: Hands, origins: tuple[str, str]) -> None:
    declared, other = origins
    console = Console(page)
    await page.goto(declared)
    grant = await asyncio.to_thread(hands.do, f"grant/{ways.run_id}/stream")
    every = list(range(1, COUNT + 4))  # queued, started and finished beside
    found = await ways(grant)
    assert found["EventSource"] == ["closed", every]  # by 204, once it came again
    assert found["fetch"] == [200, every[2:]]
    assert found["WebSocket"] == [1000, every]
    assert console.errors == []

    await asyncio.to_thread(hands.do, f"revoke/{ways.run_id}")
    found = await ways(grant)
    assert found["EventSource"] == ["closed", []]
    assert found["fetch"] == [401, []]
    assert found["WebSocket"] == [4401, []]

    grant = await asyncio.to_thread(hands.do, f"grant/{ways.run_id}/stream")
    await page.goto(other)
    found = await ways(grant)
    assert found["EventSource"] == ["closed", []]
    assert found["fetch"] == ["TypeError", []]
    assert found["WebSocket"] == [1006, []]
