"""The browser client in a real browser, on a real server: each list of seqs is exact."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext

from tests.browser import launched
from tests.chaos.service.client import enqueue, state
from tests.chaos.service.marks import leave
from tests.e2e.reader import Reader
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import Serve

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),  # ten tabs at once, which a busy machine opens slowly
]

TABS = 10  # more than the connections that a browser opens to a host over HTTP/1.1
PAUSE = 0.02  # seconds between two events
TRANSPORTS = pytest.mark.parametrize("transport", ["auto", "sse", "websocket"])

Begin = Callable[[LiveServer], str]
End = Callable[[], None]


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


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "enough"


@pytest.fixture
def begin(mark: Path) -> Begin:
    """Enqueues a run that emits until it is enough; its id."""
    return lambda server: enqueue(server, "tick_until", str(mark), PAUSE)


@pytest.fixture
def end(mark: Path) -> End:
    """Lets all of them end."""
    return lambda: leave(str(mark), "enough")


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


async def test_ten_tabs_share_one_connection(
    context: BrowserContext, server: LiveServer, ledger: Ledger, begin: Begin, end: End
) -> None:
    run = begin(server)
    tabs = await asyncio.gather(*(Reader.open(context, server, run) for _ in range(TABS)))
    for tab in tabs:
        await tab.until("run.role !== 'alone'")
    while state(server).watchers > 1:  # noqa: ASYNC110
        await asyncio.sleep(0.5)  # it is another process's event
    roles = [(await tab.seen())["role"] for tab in tabs]
    last = max([(await tab.seen())["seqs"][-1] for tab in tabs])
    for tab in tabs:
        await tab.reaches(last)
    end()
    assert sorted(roles) == ["follows"] * (TABS - 1) + ["leads"]
    for tab in tabs:
        await tab.has_all_once(ledger)


async def test_who_leads_may_close(
    context: BrowserContext, server: LiveServer, ledger: Ledger, begin: Begin, end: End
) -> None:
    run = begin(server)
    tabs = [await Reader.open(context, server, run) for _ in range(4)]
    for left in (3, 2, 1):
        for tab in tabs:
            await tab.until("run.role !== 'alone'")
        roles = [(await tab.seen())["role"] for tab in tabs]
        leader = tabs.pop(roles.index("leads"))
        await leader.page.close()
        assert len(tabs) == left
    [last] = tabs
    await last.until("run.role === 'leads'")
    await last.reaches((await last.seen())["seqs"][-1] + 10)
    end()
    await last.has_all_once(ledger)


async def test_who_leads_may_go_to_another_page_and_come_back(
    context: BrowserContext, server: LiveServer, ledger: Ledger, begin: Begin, end: End
) -> None:
    run = begin(server)
    first = await Reader.open(context, server, run)
    await first.until("run.role === 'leads'")
    second = await Reader.open(context, server, run)
    await second.until("run.role === 'follows'")
    await first.page.goto(f"{server.url}/suite/page/")
    await second.until("run.role === 'leads'")
    await first.page.go_back(wait_until="commit")
    await first.until("run.role === 'follows'")
    # It has what it missed, and not only once the other has come to its end.
    await first.reaches((await second.seen())["seqs"][-1])
    end()
    for tab in (first, second):
        await tab.has_all_once(ledger)


async def test_ten_tabs_on_ten_runs(
    context: BrowserContext, server: LiveServer, ledger: Ledger, begin: Begin, end: End
) -> None:
    tabs = [await Reader.open(context, server, begin(server)) for _ in range(TABS)]
    for tab in tabs:
        await tab.reaches(20)
    end()
    for tab in tabs:
        await tab.has_all_once(ledger)
    ways = [(await tab.seen())["transport"] for tab in tabs]
    assert (ways.count("sse"), ways.count("websocket")) == (4, TABS - 4)


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
