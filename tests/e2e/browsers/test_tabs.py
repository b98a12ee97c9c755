"""Several tabs of a browser, which share connections: each list of seqs is exact."""

import asyncio

import pytest
from playwright.async_api import BrowserContext

from tests.chaos.service.client import state
from tests.e2e.browsers.conftest import Begin, End
from tests.e2e.browsers.reader import Reader
from tests.ledger import Ledger
from tests.live import LiveServer

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),  # ten tabs at once, which a busy machine opens slowly
]

TABS = 10  # more than the connections that a browser opens to a host over HTTP/1.1


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
