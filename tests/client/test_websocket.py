"""The client over WebSocket."""

import asyncio

import pytest
from playwright.async_api import Page, WebSocketRoute

from tests.client.answers import CLIENT, Sockets, envelope, watched

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="package")]

SOCKET = {"options": '{ transport: "websocket" }', "url": "/ws/tasks/1/"}


async def test_a_socket_going_away_is_opened_again_behind_the_last_event(page: Page) -> None:
    end = envelope(4, "finished", {"status": "CANCELLED"})
    sockets = Sockets(([f"{envelope(1)}\n{envelope(2)}"], 4012), ([envelope(3), end], 1000))
    await page.route_web_socket("**/ws/**", sockets)
    seen = await watched(page, **SOCKET)
    assert seen["seqs"] == [1, 2, 3, 4]
    assert seen["result"] == {"status": "CANCELLED"}
    assert sockets.urls == [
        "ws://headway.test/ws/tasks/1/?batch=1",
        "ws://headway.test/ws/tasks/1/?after=2&batch=1",
    ]


@pytest.mark.parametrize("code", [4400, 4401, 4403, 4404])
async def test_a_socket_refused_stays_closed(page: Page, code: int) -> None:
    sockets = Sockets(([], code))
    await page.route_web_socket("**/ws/**", sockets)
    seen = await watched(page, **SOCKET)
    assert seen["result"]["code"] == code
    assert seen["states"][-1] == "refused"
    assert len(sockets.urls) == 1


@pytest.mark.parametrize("code", [4012, 4408, 4429, 3000])
async def test_a_socket_closed_for_another_reason_is_opened_again(page: Page, code: int) -> None:
    end = envelope(1, "finished", {"status": "SUCCESSFUL"})
    sockets = Sockets(([], code), ([end], 1000))
    await page.route_web_socket("**/ws/**", sockets)
    assert (await watched(page, **SOCKET))["seqs"] == [1]


async def test_who_was_too_slow_goes_on_at_once_and_who_was_refused_does_not(page: Page) -> None:
    end = envelope(3, "finished", {"status": "SUCCESSFUL"})
    sockets = Sockets(([envelope(1)], 4408), ([], 4408), ([envelope(2)], 4429), ([end], 1000))
    await page.route_web_socket("**/ws/**", sockets)
    script = f"""async () => {{
        Math.random = () => 1 / 10;
        const run = ({CLIENT}).watch("/ws/tasks/1/", {{ transport: "websocket" }});
        const waits = [];
        run.on(":state", ({{ state, wait }}) => state === "reconnecting" && waits.push(wait));
        await run.result;
        return waits;
    }}"""
    # Slow before anything came, it is one that fails; full, it says how long.
    assert await page.evaluate(script) == [0, 50, 1650]


async def test_a_socket_closed_normally_has_nothing_left(page: Page) -> None:
    await page.route_web_socket("**/ws/**", Sockets(([], 1000)))
    seen = await watched(page, '{ transport: "websocket", after: 5 }', "/ws/tasks/1/")
    assert (seen["result"], seen["states"][-1]) == (None, "ended")


async def test_a_watch_that_is_closed_hangs_up(page: Page) -> None:
    closed = asyncio.Event()

    async def serve(socket: WebSocketRoute) -> None:
        socket.on_close(lambda code, reason: closed.set())
        socket.send(envelope(1))

    await page.route_web_socket("**/ws/**", serve)
    script = f"""async () => {{
        const run = ({CLIENT}).watch("/ws/tasks/1/", {{ transport: "websocket" }});
        run.on("tick", () => run.close());
        return run.result.catch(({{ name }}) => name);
    }}"""
    assert await page.evaluate(script) == "WatchError"
    await asyncio.wait_for(closed.wait(), 10)
