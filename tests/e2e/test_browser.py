"""The browser client in a real browser, on a real server: each list of seqs is exact."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext

from tests.browser import launched
from tests.chaos.service.client import enqueue, enqueue_many, state
from tests.e2e.reader import Reader
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import Serve

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

TABS = 10  # more than the connections that a browser opens to a host over HTTP/1.1
TRANSPORTS = pytest.mark.parametrize("transport", ["auto", "sse", "websocket"])

Open = Callable[..., Awaitable[Reader]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with launched(keeps_pages=True) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context()
    yield context
    await context.close()


@pytest.fixture
def server(serve: Serve) -> LiveServer:
    return serve(lease=3, grace=0.2, backoff=0.1).start()


@TRANSPORTS
async def test_a_reload_in_the_middle(
    context: BrowserContext, server: LiveServer, ledger: Ledger, transport: str
) -> None:
    run = enqueue(server, "emit", 100, 0.02)
    reader = await Reader.open(context, server, run, transport=transport)
    await reader.reaches(20)
    await reader.page.reload()
    await reader.has_all_once(ledger)


@TRANSPORTS
async def test_back_and_forward(
    context: BrowserContext, server: LiveServer, ledger: Ledger, transport: str
) -> None:
    run = enqueue(server, "emit", 150, 0.02)
    reader = await Reader.open(context, server, run, transport=transport)
    await reader.reaches(20)
    await reader.page.goto(f"{server.url}/suite/page/")
    await reader.page.go_back(wait_until="commit")
    await reader.reaches(40)
    # The browser has kept the page as it was, with its list.
    assert (await reader.seen())["shows"] == [False, True]
    await reader.page.go_forward(wait_until="commit")
    await reader.page.go_back(wait_until="commit")
    await reader.has_all_once(ledger)


@TRANSPORTS
async def test_offline_for_a_while(
    context: BrowserContext, server: LiveServer, ledger: Ledger, transport: str
) -> None:
    run = enqueue(server, "emit", 400, 0.02)
    reader = await Reader.open(context, server, run, transport=transport)
    await reader.reaches(20)
    cdp = await context.new_cdp_session(reader.page)
    await cdp.send("Network.enable")
    network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    await cdp.send("Network.emulateNetworkConditions", {"offline": True, **network})
    await asyncio.sleep(5)  # it is what is tried
    await cdp.send("Network.emulateNetworkConditions", {"offline": False, **network})
    await reader.until("seen.states.filter((state) => state === 'live').length > 1")
    reader.console.forget_outage()
    await reader.has_all_once(ledger)


async def test_ten_tabs_share_one_connection(
    context: BrowserContext, server: LiveServer, ledger: Ledger
) -> None:
    run = enqueue(server, "emit", 500, 0.02)
    tabs = await asyncio.gather(*(Reader.open(context, server, run) for _ in range(TABS)))
    for tab in tabs:
        await tab.until("run.role !== 'alone'")
    assert sorted([(await tab.seen())["role"] for tab in tabs]) == ["follows"] * 9 + ["leads"]
    assert state(server).watchers == 1
    for tab in tabs:
        await tab.has_all_once(ledger)


async def test_who_leads_may_close(
    context: BrowserContext, server: LiveServer, ledger: Ledger
) -> None:
    run = enqueue(server, "emit", 300, 0.02)
    tabs = [await Reader.open(context, server, run) for _ in range(4)]
    for _ in range(3):
        for tab in tabs:
            await tab.until("run.role !== 'alone'")
        [leader] = [tab for tab in tabs if (await tab.seen())["role"] == "leads"]
        tabs.remove(leader)
        await leader.page.close()
    [last] = tabs
    await last.until("run.role === 'leads'")
    await last.has_all_once(ledger)


async def test_ten_tabs_on_ten_runs(
    context: BrowserContext, server: LiveServer, ledger: Ledger
) -> None:
    runs = enqueue_many(server, "emit", *[(300, 0.02)] * TABS)
    tabs = [await Reader.open(context, server, run) for run in runs]
    for tab in tabs:
        await tab.has_all_once(ledger)
    ways = [(await tab.seen())["transport"] for tab in tabs]
    assert ways.count("sse") == 4


@pytest.mark.parametrize("end", ["kill", "terminate"])
async def test_a_server_that_is_started_again(
    context: BrowserContext, server: LiveServer, ledger: Ledger, end: str
) -> None:
    run = enqueue(server, "emit", 150, 0.02)
    tabs = [
        await Reader.open(context, server, run, transport=transport)
        for transport in ("auto", "auto", "sse", "websocket")
    ]
    for tab in tabs:
        await tab.reaches(20)
    getattr(server, end)()
    server.wait()
    for tab in tabs:
        await tab.until("run.state === 'reconnecting'")
    server.start()
    for tab in tabs:
        await tab.until("run.state === 'ended'")
        tab.console.forget_outage()
        await tab.has_all_once(ledger)


@TRANSPORTS
async def test_a_server_that_falls_silent(
    context: BrowserContext, serve: Serve, ledger: Ledger, transport: str
) -> None:
    server = serve(heartbeat=0.4, lease=30).start()
    run = enqueue(server, "emit", 150, 0.02)
    reader = await Reader.open(context, server, run, transport=transport, heartbeat=0.4)
    await reader.reaches(20)
    server.freeze()
    try:
        await reader.until("run.state === 'reconnecting'")
    finally:
        server.thaw()
    await reader.has_all_once(ledger)
