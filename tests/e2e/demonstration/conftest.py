"""The demo on a real server, and a visitor of it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser import launched
from tests.e2e.demonstration.tab import Tab
from tests.live import LiveServer
from tests.stacks import standing

# A killed server's runs are taken up again after the lease.
DEMO = {
    "HEADWAY_APPS": "asgi_app.demo",
    "HEADWAY_LEASE": "2",
    "HEADWAY_GRACE": "1",
    "HEADWAY_BACKOFF": "0.1",
}
STRICT = "tests.e2e.strict"

Tabs = Callable[..., Awaitable[Tab]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("demo") / "data"
    with (
        standing(folder, {"HEADWAY_APPS": DEMO["HEADWAY_APPS"]}) as stack,
        LiveServer(folder, {**stack.env, **DEMO}, settings=STRICT, stack=stack) as server,
    ):
        yield server.start()


@pytest_asyncio.fixture(loop_scope="module")
async def tabs(browser: Browser, server: LiveServer) -> AsyncIterator[Tabs]:
    """Opens tabs of one visitor; in none may anything go wrong."""
    context = await browser.new_context()
    opened: list[Tab] = []

    async def opener(path: str = "/", via: str = "sse") -> Tab:
        tab = Tab(await context.new_page(), server)
        opened.append(tab)
        await tab.open(path, via)
        return tab

    yield opener
    await context.close()
    assert [error for tab in opened for error in tab.console.errors] == []
