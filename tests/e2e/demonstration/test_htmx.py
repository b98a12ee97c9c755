"""The demo's page with htmx in a real browser."""

import pytest
from playwright.async_api import expect

from asgi_app.demo import story
from tests.e2e.demonstration.conftest import Tabs
from tests.live import LiveServer

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


HEAR_CLOSE = """addEventListener("htmx:sseClose", ({ detail }) => {
    window.closed_by = detail.type;
}, true)"""


async def test_the_same_with_htmx(tabs: Tabs, server: LiveServer) -> None:
    """Fragments of HTML, and what htmx makes of them: to the end, over a server that dies."""
    tab = await tabs()
    run = await tab.start("Start the story")
    await tab.page.add_init_script(HEAR_CLOSE)
    await tab.page.get_by_role("link", name="The same with htmx").click()
    await tab.says("lighthouse keeper")
    server.kill()
    server.start()
    whole = "".join(story.tokens())
    told = tab.page.locator("#story")
    await expect(told).to_have_js_property("textContent", whole, timeout=60_000)
    await expect(tab.page.locator("#state")).to_have_text("Done")
    assert run in tab.page.url
    # It has closed the stream, which would be asked for again otherwise.
    await tab.page.wait_for_function("window.closed_by === 'message'")
    # How htmx says that the stream was cut.
    tab.console.errors = [text for text in tab.console.errors if text != "[object Event]"]
    tab.console.forget_outage()


async def test_progress_with_htmx(tabs: Tabs) -> None:
    tab = await tabs()
    await tab.page.get_by_label("Seconds").fill("3")
    await tab.start("Start the countdown")
    await tab.page.get_by_role("link", name="The same with htmx").click()
    await tab.says("3 / 3 seconds")
    await tab.says("Done: Lift-off")
    await expect(tab.page.get_by_role("progressbar")).to_have_attribute("value", "3")
