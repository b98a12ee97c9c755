"""A token goes along with every connection, and into no address."""

from typing import Any

import pytest
from playwright.async_api import Page, Request

from tests.client.answers import (
    CLIENT,
    EVENTS,
    Server,
    Sockets,
    envelope,
    finished,
    frame,
    watched,
)

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="package")]

# Notes what it is asked for, and never opens.
SOCKETS = """() => {
    window.asked = [];
    window.WebSocket = class {
        constructor(address, protocols) {
            asked.push([String(address), protocols]);
            queueMicrotask(() => this.onclose({ code: asked.length < 2 ? 1006 : 4401 }));
        }
        close() {}
    };
}"""


def noting(page: Page) -> list[Request]:
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request))  # playwright takes no method of C
    return requests


async def test_over_sse_it_is_a_header(page: Page) -> None:
    requests = noting(page)
    await page.route(EVENTS, Server(frame(1), finished(2)))
    assert (await watched(page, '{ token: "hwg_secret" }'))["seqs"] == [1, 2]
    asked = [request for request in requests if request.url == EVENTS]
    assert [await one.header_value("Authorization") for one in asked] == ["Bearer hwg_secret"] * 2
    assert not any("secret" in request.url for request in requests)


async def test_over_websocket_it_is_a_subprotocol(page: Page) -> None:
    await page.evaluate(SOCKETS)
    options = '{ transport: "websocket", token: "hwg_secret" }'
    seen = await watched(page, options, "/ws/tasks/1/")
    assert seen["result"]["code"] == 4401
    asked: Any = await page.evaluate("asked")
    way = ["ws://headway.test/ws/tasks/1/?batch=1", ["headway", "headway.grant.hwg_secret"]]
    assert asked == [way, way]


async def test_a_token_that_is_no_subprotocol_is_refused_and_not_sent(page: Page) -> None:
    await page.evaluate(SOCKETS)
    seen = await watched(page, '{ transport: "websocket", token: "a b" }', "/ws/tasks/1/")
    assert seen["states"] == ["refused"]
    assert await page.evaluate("asked") == []


async def test_a_function_is_asked_for_each_connection(page: Page) -> None:
    requests = noting(page)
    await page.route(EVENTS, Server(frame(1), frame(2), finished(3)))
    script = f"""async () => {{
        let count = 0;
        await ({CLIENT}).watch("{EVENTS}", {{ token: async () => `t${{++count}}` }}).result;
    }}"""
    await page.evaluate(script)
    sent = [await one.header_value("Authorization") for one in requests if one.url == EVENTS]
    assert sent == ["Bearer t1", "Bearer t2", "Bearer t3"]


async def test_a_token_that_cannot_be_had_is_asked_for_again(page: Page) -> None:
    await page.route(EVENTS, Server(finished(1)))
    script = f"""async () => {{
        let count = 0;
        const token = () => {{ if (!count++) throw new Error("not now"); return "t"; }};
        return ({CLIENT}).watch("{EVENTS}", {{ token }}).result;
    }}"""
    assert (await page.evaluate(script))["status"] == "SUCCESSFUL"


@pytest.mark.parametrize("renewed", [True, False])
async def test_a_right_that_ends_may_be_renewed(page: Page, renewed: bool) -> None:
    """By a function, and only where the one before has been good for something."""
    end = envelope(2, "finished", {"status": "SUCCESSFUL"})
    sockets = Sockets(([envelope(1)], 4401), ([end] if renewed else [], 4401))
    await page.route_web_socket("**/ws/**", sockets)
    options = '{ transport: "websocket", token: () => "hwg_new" }'
    seen = await watched(page, options, "/ws/tasks/1/")
    assert seen["states"][-1] == ("ended" if renewed else "refused")
    assert len(sockets.urls) == 2
