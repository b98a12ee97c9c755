"""A page of another origin, in a real browser, watches with a grant and without a cookie."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, Route

from tests.browser import Console, launched
from tests.chaos.service.client import enqueue
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import Serve

from .test_rights import Hands

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

APP = "http://localhost:5173"
OTHER = "http://localhost:5174"
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


async def blank(route: Route) -> None:
    await route.fulfill(body="<!DOCTYPE html><title>app</title>", content_type="text/html")


class Ways:
    """The three ways of a page to a run."""

    def __init__(self, page: Page, server: LiveServer, run_id: str) -> None:
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
    server = serve(authz=None, cors_origins=APP).start()
    run_id = enqueue(server, "emit", COUNT)
    await ledger.until_finished(run_id)
    hands = Hands(server)
    grant = hands.do(f"grant/{run_id}/stream")
    async with launched() as browser:
        page = await (await browser.new_context()).new_page()
        console = Console(page)
        await page.route(f"{APP}/**", blank)
        await page.route(f"{OTHER}/**", blank)
        await page.goto(f"{APP}/")
        ways = Ways(page, server, run_id)
        every = list(range(1, ledger.run(run_id).last_seq + 1))

        assert (
            await ways(grant)
            == {
                "EventSource": ["closed", every],  # by 204, once it came again
                "fetch": [200, every[2:]],
                "WebSocket": [1000, every],
            }
        )
        assert console.errors == []

        hands.do(f"revoke/{run_id}")
        assert await ways(grant) == {
            "EventSource": ["closed", []],
            "fetch": [401, []],
            "WebSocket": [4401, []],
        }

        grant = hands.do(f"grant/{run_id}/stream")
        await page.goto(f"{OTHER}/")
        assert await ways(grant) == {
            "EventSource": ["closed", []],
            "fetch": ["TypeError", []],
            "WebSocket": [1006, []],
        }
