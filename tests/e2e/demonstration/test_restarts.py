"""The demo's page, while its server is killed or goes away."""

import pytest
from playwright.async_api import expect

from asgi_app.demo import story
from tests.e2e.demonstration.conftest import Tabs
from tests.e2e.demonstration.tab import BUNDLED, log_of, progress_of, stored_rows, written_rows
from tests.live import LiveServer

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def test_a_killed_server_is_found_again_and_its_runs_go_on(
    tabs: Tabs, server: LiveServer
) -> None:
    watching = over_sse, over_websocket, counting = [await tabs() for _ in range(3)]
    await counting.page.get_by_label("Seconds").fill("12")
    countdown = await counting.start("Start the countdown")
    run = await over_sse.start_import(1500)
    await over_websocket.open(f"/?run={run}", "websocket")
    for tab in watching:
        await tab.bar_between(0.1, 0.95)

    server.kill()
    for tab in watching:
        await tab.state("reconnecting")
    server.start()

    for tab in watching:
        await tab.says("resumed at event")
    for tab in watching:
        await tab.has_all_once()
        await tab.says("attempt 2")
        tab.console.forget_outage()
    assert stored_rows(server, run) == written_rows(BUNDLED)
    there = int(log_of(server, run).removesuffix(" rows are there already; going on behind them."))
    assert there > 1000
    first, second = progress_of(server, countdown)
    assert first[-1] > 0
    assert [*first, *second[1:]] == list(range(13))
    assert second[0] == first[-1]
    await counting.says("Done: Lift-off")


async def test_a_server_that_goes_away_is_found_again(tabs: Tabs, server: LiveServer) -> None:
    first, second = await tabs(), await tabs()
    run = await first.start("Start the story")
    await second.open(f"/?run={run}", "websocket")
    for tab in (first, second):
        await tab.says("lighthouse")
    server.terminate()
    assert server.wait() == 0
    for tab in (first, second):
        await tab.state("reconnecting")
    server.start()
    for tab in (first, second):
        await tab.has_all_once()
        tab.console.forget_outage()
        told = tab.page.locator("#story")
        await expect(told).to_have_js_property("textContent", "".join(story.tokens()))
