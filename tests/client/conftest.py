"""A page that has the client's modules and no server: each test makes up the answers."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Page, Route

from tests.browser import launched
from tests.client.answers import ORIGIN
from tests.processes import ROOT

__all__ = ["page", "tab"]


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def tab() -> AsyncIterator[Page]:
    async with launched() as browser:
        yield await browser.new_page()


@pytest_asyncio.fixture(loop_scope="package")
async def page(tab: Page) -> Page:
    # A page may ask for more until it is left, whatever has become of its test.
    await tab.goto("about:blank")
    await tab.unroute_all(behavior="ignoreErrors")
    await tab.route(f"{ORIGIN}/**", _file)
    await tab.goto(f"{ORIGIN}/")
    # Waits are random, from nothing upwards; the tests take nothing.
    await tab.evaluate("Math.random = () => 0")
    return tab


async def _file(route: Route) -> None:
    path = route.request.url.removeprefix(f"{ORIGIN}/")
    if path.startswith("static/"):
        await route.fulfill(path=ROOT / "consumers" / path, content_type="text/javascript")
    else:
        # Nothing inline is allowed: the elements need nothing of the kind.
        policy = {"Content-Security-Policy": "style-src 'self'; script-src 'self'"}
        body = "<!DOCTYPE html><title>test</title>"
        await route.fulfill(body=body, content_type="text/html", headers=policy)
