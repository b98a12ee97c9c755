"""The browser client in a real browser, on a real server: each list of seqs is exact."""

import asyncio

import pytest
from playwright.async_api import BrowserContext

from tests.e2e.browsers.conftest import Begin, End
from tests.e2e.browsers.reader import Reader
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import Serve

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),  # several pages, which a busy machine opens slowly
]

TRANSPORTS = pytest.mark.parametrize("transport", ["auto", "sse", "websocket"])


@TRANSPORTS
async def test_a_reload_in_the_middle(
    context: BrowserContext,
    server: LiveServer,
    ledger: Ledger,
    begin: Begin,
    end: End,
    transport: str,
) -> None:
    reader = await Reader.open(context, server, begin(server), transport=transport)
    await reader.reaches(20)
    await reader.page.reload()
    await reader.reaches(40)
    end()
    await reader.has_all_once(ledger)


@TRANSPORTS
async def test_back_and_forward(
    context: BrowserContext,
    server: LiveServer,
    ledger: Ledger,
    begin: Begin,
    end: End,
    transport: str,
) -> None:
    reader = await Reader.open(context, server, begin(server), transport=transport)
    await reader.reaches(20)
    # A page that comes back as it was is not loaded, which is what is waited for otherwise.
    await reader.page.goto(f"{server.url}/suite/page/")
    await reader.page.go_back(wait_until="commit")
    await reader.reaches(40)
    assert (await reader.seen())["shows"] == [False, True]
    await reader.page.go_forward(wait_until="commit")
    await reader.page.go_back(wait_until="commit")
    end()
    await reader.has_all_once(ledger)


@TRANSPORTS
async def test_offline_for_a_while(
    context: BrowserContext,
    server: LiveServer,
    ledger: Ledger,
    begin: Begin,
    end: End,
    transport: str,
) -> None:
    reader = await Reader.open(context, server, begin(server), transport=transport)
    await reader.reaches(20)
    cdp = await context.new_cdp_session(reader.page)
    await cdp.send("Network.enable")
    network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    await cdp.send("Network.emulateNetworkConditions", {"offline": True, **network})
    await asyncio.sleep(5)  # it is what is tried
    await cdp.send("Network.emulateNetworkConditions", {"offline": False, **network})
    await reader.until("seen.states.filter((state) => state === 'live').length > 1")
    end()
    # Chromium says that a stream was cut. The client asks for none while it is offline.
    reader.console.forget_outage()
    await reader.has_all_once(ledger)


@pytest.mark.parametrize("stop", ["kill", "terminate"])
async def test_a_server_that_is_started_again(
    context: BrowserContext,
    server: LiveServer,
    ledger: Ledger,
    begin: Begin,
    end: End,
    stop: str,
) -> None:
    run = begin(server)
    tabs = [
        await Reader.open(context, server, run, transport=transport)
        for transport in ("auto", "auto", "sse", "websocket")
    ]
    for tab in tabs:
        await tab.reaches(20)
    getattr(server, stop)()
    server.wait()
    for tab in tabs:
        await tab.until("run.state === 'reconnecting'")
    server.start()
    for tab in tabs:
        await tab.until("run.state === 'live'")
    end()
    for tab in tabs:
        await tab.until("run.state === 'ended'")
        tab.console.forget_outage()
        await tab.has_all_once(ledger)


@TRANSPORTS
async def test_a_server_that_falls_silent(
    context: BrowserContext,
    serve: Serve,
    ledger: Ledger,
    begin: Begin,
    end: End,
    transport: str,
) -> None:
    server = serve(heartbeat=0.4, lease=30).start()
    run = begin(server)
    # An event stream tells; over a WebSocket it is the client that asks.
    options = {"heartbeat": 0.4} if transport == "websocket" else {}
    reader = await Reader.open(context, server, run, transport=transport, **options)
    await reader.reaches(20)
    server.freeze()
    try:
        await reader.until("run.state === 'reconnecting'")
    finally:
        server.thaw()
    await reader.until("run.state === 'live'")
    end()
    await reader.has_all_once(ledger)
