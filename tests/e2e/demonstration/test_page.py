"""The demo in a real browser, on a real server."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from asgi_app.demo import catalog, story
from tests.e2e.demonstration.conftest import Tabs
from tests.e2e.demonstration.tab import BUNDLED, stored_rows, written_rows
from tests.live import LiveServer

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

OWN = (
    ",".join(catalog.COLUMNS)
    + "\n"
    + "".join(f'X-{n},"Tasse, ""{n}"" 星",Küche,{n}.5,{n},"zwei\nZeilen"\n' for n in range(1, 2001))
)


@pytest.fixture(scope="module")
def own_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("upload") / "meine Tassen.csv"
    path.write_text(OWN, encoding="utf-8")
    return path


@pytest.mark.parametrize("via", ["auto", "sse", "websocket"])
async def test_the_bundled_import(tabs: Tabs, server: LiveServer, via: str) -> None:
    tab = await tabs(via=via)
    run = await tab.start_import(4000)
    await tab.bar_between(0, 1)
    await tab.says("Done: 12,000 rows in the table.")
    bar = tab.page.get_by_role("progressbar")
    await expect(bar).to_have_attribute("aria-valuenow", "12000")
    await expect(bar).to_have_attribute("aria-valuemax", "12000")
    await tab.has_all_once()
    assert stored_rows(server, run) == written_rows(BUNDLED)


@pytest.mark.parametrize("via", ["sse", "websocket"])
async def test_an_uploaded_import(tabs: Tabs, server: LiveServer, own_file: Path, via: str) -> None:
    tab = await tabs(via=via)
    run = await tab.start_import(1500, own_file)
    await tab.bar_between(0, 1)
    await tab.says("Done: 2,000 rows in the table.")
    await tab.has_all_once()
    await tab.says("Import of meine Tassen.csv")
    assert stored_rows(server, run) == written_rows(OWN)
    await tab.page.get_by_role("link", name="See them").click()
    await tab.says("2000 rows")
    await tab.says('Tasse, "50" 星')


async def test_a_reload_in_the_middle(tabs: Tabs) -> None:
    tab = await tabs()
    run = await tab.start_import(4000)
    await tab.bar_between(0.1, 1)
    await tab.page.reload()
    assert tab.run == run
    await tab.bar_between(0.1, 1)
    await tab.has_all_once()
    await tab.page.reload()
    await tab.has_all_once()


async def test_a_second_tab_sees_the_same(tabs: Tabs) -> None:
    first = await tabs()
    run = await first.start("Start the story")
    await first.says("lighthouse keeper")
    second = await tabs(f"/?run={run}", "websocket")
    await second.says("Live over WebSocket")
    for tab in (first, second):
        await tab.has_all_once()
        told = tab.page.locator("#story")
        await expect(told).to_have_js_property("textContent", "".join(story.tokens()))


async def test_switching_over_loses_and_repeats_nothing(tabs: Tabs) -> None:
    tab = await tabs()
    await tab.start_import(4000)
    for name, low in (("WebSocket", 0.1), ("SSE", 0.3), ("WebSocket", 0.5)):
        await tab.bar_between(low, 1)
        await tab.page.get_by_role("radio", name=name).check()
        await tab.says(f"Live over {name}")
    assert tab.page.url.endswith("via=websocket")
    await tab.has_all_once()


async def test_stop(tabs: Tabs) -> None:
    tab = await tabs()
    await tab.start("Start the countdown")
    await tab.bar_between(0, 1)
    await tab.page.get_by_role("button", name="Stop the task").click()
    await tab.says("Stopped")
    await tab.has_all_once()
    await expect(tab.page.locator("#runs li").first).to_contain_text("cancelled")


async def test_a_file_with_a_wrong_row_fails_in_the_open(tabs: Tabs, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(",".join(catalog.COLUMNS) + "\nA,Mug,Kitchen,free,1,\n")
    tab = await tabs()
    await tab.start_import(0, bad)
    await tab.says("Failed: Line 2: 'free' is no price, such as 12.90.")
    await tab.has_all_once()


async def test_a_file_that_is_no_catalogue_is_refused_at_once(tabs: Tabs, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"\xff\xfe")
    tab = await tabs()
    await tab.page.get_by_label("Your own file").set_input_files(bad)
    await tab.page.get_by_role("button", name="Start the import").click()
    await expect(tab.page.get_by_role("alert")).to_have_text("The file is not UTF-8: see line 1.")
    [status] = tab.console.errors  # which Chromium reports of every page
    assert "400" in status
    tab.console.errors.clear()


async def test_the_keyboard_is_enough(tabs: Tabs) -> None:
    tab = await tabs()
    await tab.page.get_by_role("radio", name="SSE").focus()
    await tab.page.keyboard.press("ArrowRight")
    await tab.page.get_by_label("Seconds").fill("1")
    await tab.page.keyboard.press("Enter")
    await tab.page.wait_for_url("**/?run=*via=websocket")
    await tab.has_all_once()
    for _ in range(4):  # brand, switch, htmx, log
        await tab.page.keyboard.press("Tab")
    await tab.page.keyboard.press("Enter")
    await expect(tab.page.get_by_role("list", name="Log of events")).to_contain_text("Lift-off")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_phone_has_room_for_it(tabs: Tabs, tmp_path: Path, scheme: str) -> None:
    tab = await tabs()
    await tab.page.set_viewport_size({"width": 360, "height": 740})
    await tab.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    file = tmp_path / f"{'x' * 90}.csv"
    file.write_text(OWN, encoding="utf-8")
    await tab.start_import(0, file)
    await tab.has_all_once()
    await tab.page.get_by_text("Log of events").click()
    assert await tab.page.evaluate("document.documentElement.scrollWidth") <= 360
