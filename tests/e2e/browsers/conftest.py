"""A browser, and runs to be watched in it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext

from tests.browser import launched
from tests.chaos.service.client import enqueue
from tests.chaos.service.marks import leave
from tests.live import LiveServer
from tests.stacks import Serve

PAUSE = 0.02  # seconds between two events

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
