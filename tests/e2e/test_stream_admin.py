"""The admin's list of StreamTasks in a browser: started there, and followed to the end."""

from collections.abc import Callable

import pytest
from playwright.async_api import expect

from tests.browser import Console, launched
from tests.live import LiveServer
from tests.streamed.site import site

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PATIENCE = 60_000  # milliseconds


async def test_a_task_is_started_and_its_row_follows_it(live: Callable[..., LiveServer]) -> None:
    place = site(live)
    place.server.start()
    place.server.env["DJANGO_SUPERUSER_PASSWORD"] = "secret"
    place.server.manage(
        "createsuperuser", "--noinput", "--username", "staff", "--email", "staff@localhost"
    )
    for _ in range(2):
        await place.make("ExampleTask", start=False, pause=1.0)
    async with launched() as browser:
        page = await browser.new_page()
        page.set_default_timeout(PATIENCE)
        console = Console(page)
        # The browser asks by itself, and the admin has none.
        await page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
        await page.goto(f"{place.url}/admin/login/?next=/admin/streamed/exampletask/")
        await page.fill("#id_username", "staff")
        await page.fill("#id_password", "secret")
        await page.click("[type=submit]")
        await page.check("#action-toggle")
        await page.select_option("select[name=action]", "start")
        await page.click("button[name=index]")
        await expect(page.locator(".success")).to_have_text("2 started.", timeout=PATIENCE)
        # From here on nobody loads the page again.
        for number in range(2):
            count = page.locator("[data-headway-run]").nth(number)
            state = page.locator("[data-headway-state]").nth(number)
            await expect(count).to_have_text("3 / 3", timeout=PATIENCE)
            await expect(state).to_have_text("completed", timeout=PATIENCE)
        assert console.errors == []
