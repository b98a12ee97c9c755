"""Where the client goes, and how it goes on where one transport does not get through."""

import json
from typing import Any

import pytest
from playwright.async_api import Page, Route

from tests.client.answers import (
    ORIGIN,
    Server,
    Sockets,
    envelope,
    finished,
    frame,
    watched,
)

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="package")]

RUN = "0197a3c4-5d6e-7f80-9a1b-2c3d4e5f6071"
EVENTS = f"{ORIGIN}/tasks/{RUN}/events/"
SOCKET = "/ws/background/1/"
NO_SOCKETS = """() => {
    window.refused = 0;
    window.WebSocket = class { constructor() { refused += 1; throw new Error("no"); } };
}"""
END = envelope(3, "finished", {"status": "SUCCESSFUL"})


class Broken(Server):
    """Answers as long as it has answers; then the network fails."""

    async def __call__(self, route: Route) -> None:
        if len(self.cursors) < len(self.answers):
            await super().__call__(route)
        else:
            self.cursors.append(await route.request.header_value("Last-Event-ID"))
            await route.abort("connectionrefused")


async def links(page: Page, status: int = 200, **found: str) -> None:
    body = json.dumps({"links": found})
    headers = {"Content-Type": "application/json"}

    async def answer(route: Route) -> None:
        await route.fulfill(status=status, headers=headers, body=body)

    await page.route(f"{ORIGIN}/tasks/{RUN}/", answer)


async def test_an_id_is_enough(page: Page) -> None:
    server = Server(finished(1))
    await page.route(EVENTS, server)
    assert (await watched(page, url=RUN))["seqs"] == [1]


async def test_the_urls_may_be_elsewhere(page: Page) -> None:
    await page.route(f"{ORIGIN}/background/tasks/{RUN}/events/", Server(finished(1)))
    assert (await watched(page, '{ base: "/background/" }', RUN))["seqs"] == [1]


async def test_a_cursor_in_the_address_is_where_it_begins(page: Page) -> None:
    server = Server(frame(6), finished(7))
    await page.route(EVENTS, server)
    assert (await watched(page, url=f"{EVENTS}?after=5"))["seqs"] == [6, 7]
    assert server.cursors == ["5", "6"]


async def test_latest_begins_with_the_state(page: Page) -> None:
    state = {"status": "RUNNING"}
    await page.route(f"{EVENTS}?after=latest", Server(frame(40, "snapshot", state) + frame(41)))
    server = Server(finished(42))
    await page.route(EVENTS, server)
    seen = await watched(page, '{ after: "latest" }', EVENTS)
    assert (seen["seqs"], server.cursors) == ([40, 41, 42], ["41"])


async def test_the_state_of_a_finished_run_is_its_result(page: Page) -> None:
    state = {"status": "SUCCESSFUL", "return_value": 7}
    await page.route(f"{EVENTS}?after=latest", Server(frame(40, "snapshot", state)))
    seen = await watched(page, '{ after: "latest" }', EVENTS)
    assert seen["result"] == {"status": "SUCCESSFUL", "return_value": 7}
    assert seen["states"] == ["live", "ended"]


async def test_a_stream_that_does_not_get_through_goes_on_as_a_websocket(page: Page) -> None:
    await links(page, websocket=SOCKET)
    server, sockets = Broken(), Sockets(([envelope(1), envelope(2), END], 1000))
    await page.route(EVENTS, server)
    await page.route_web_socket("**/ws/**", sockets)
    assert (await watched(page, url=RUN))["seqs"] == [1, 2, 3]
    assert sockets.urls == [f"ws://headway.test{SOCKET}?batch=1"]
    assert len(server.cursors) == 1


async def test_the_cursor_goes_along(page: Page) -> None:
    """A stream that has worked gets more than one chance: most of the time it is the server."""
    await links(page, websocket=SOCKET)
    server, sockets = Broken(frame(1) + frame(2)), Sockets(([END], 1000))
    await page.route(EVENTS, server)
    await page.route_web_socket("**/ws/**", sockets)
    assert (await watched(page, url=RUN))["seqs"] == [1, 2, 3]
    assert server.cursors == [None, "2", "2", "2"]
    assert sockets.urls == [f"ws://headway.test{SOCKET}?after=2&batch=1"]


async def test_a_run_that_does_not_say_where_its_socket_is(page: Page) -> None:
    await links(page, status=403)
    sockets = Sockets(([envelope(1), envelope(2), END], 1000))
    await page.route(EVENTS, Broken())
    await page.route_web_socket("**/ws/**", sockets)
    assert (await watched(page, url=RUN))["seqs"] == [1, 2, 3]
    assert sockets.urls == [f"ws://headway.test/ws/tasks/{RUN}/?batch=1"]


async def test_and_back(page: Page) -> None:
    """A stream of which nothing arrives is none that gets through."""
    await links(page, websocket=SOCKET)
    server = Server("", finished(1))
    await page.route(EVENTS, server)
    await page.evaluate(NO_SOCKETS)
    assert (await watched(page, url=RUN))["seqs"] == [1]
    assert await page.evaluate("refused") == 1
    assert len(server.cursors) == 2


@pytest.mark.parametrize("code", ["off", "no_such_run", None])
async def test_a_transport_that_is_switched_off_is_not_asked_again(
    page: Page, code: str | None
) -> None:
    """Only where the server says that it is not the run that is missing."""
    await links(page, websocket=SOCKET)
    body: Any = {"error": {"code": code, "message": "No."}} if code else "no"
    answer = (404, {"Content-Type": "application/json"}, json.dumps(body))
    server, sockets = Server(answer), Sockets(([envelope(1)], 1006), ([envelope(2), END], 1000))
    await page.route(EVENTS, server)
    await page.route_web_socket("**/ws/**", sockets)
    seen = await watched(page, url=RUN)
    assert seen["seqs"] == ([1, 2, 3] if code == "off" else [])
    assert seen["states"][-1] == ("ended" if code == "off" else "refused")
    assert len(server.cursors) == 1


@pytest.mark.parametrize("transport", ["sse", "websocket"])
async def test_who_wants_one_transport_gets_no_other(page: Page, transport: str) -> None:
    await links(page, websocket=SOCKET)
    sse = transport == "sse"
    trouble = (503, dict[str, str](), "")
    server = Server(*(trouble, trouble, finished(1)) if sse else ())
    end = envelope(1, "finished", {"status": "SUCCESSFUL"})
    sockets = Sockets(*(([], 1006), ([end], 1000)) if not sse else ())
    await page.route(EVENTS, server)
    await page.route_web_socket("**/ws/**", sockets)
    assert (await watched(page, f'{{ transport: "{transport}" }}', RUN))["seqs"] == [1]
    assert (len(server.cursors), len(sockets.urls)) == ((3, 0) if sse else (0, 2))
