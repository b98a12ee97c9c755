"""The elements: what they show of a run, and what a screen reader finds there."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.client.answers import EVENTS, ORIGIN, Server, finished, frame

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="package")]

STARTED = frame(1, "queued", {}) + frame(2, "started", {"attempt": 1})
PROGRESS = {"done": 30, "total": 120, "message": "rows"}


async def put(page: Page, html: str) -> None:
    script = f"""async (html) => {{
        await import("{ORIGIN}/static/headway/elements.js");
        document.body.innerHTML = html;
    }}"""
    await page.evaluate(script, html)


async def test_progress_is_a_progressbar(page: Page) -> None:
    await page.route(EVENTS, Server(STARTED + frame(3, "progress", PROGRESS), (403, {}, "")))
    await put(page, f'<headway-progress src="{EVENTS}" label="Import"></headway-progress>')
    bar = page.get_by_role("progressbar", name="Import")
    await expect(bar).to_have_attribute("aria-valuenow", "30")
    await expect(bar).to_have_attribute("aria-valuemax", "120")
    await expect(bar).to_have_attribute("aria-valuetext", "25 %, 30 of 120 rows")
    await expect(page.get_by_role("status")).to_have_text("Not shown: HTTP 403")


async def test_progress_without_a_total_has_no_value(page: Page) -> None:
    await page.route(EVENTS, Server(STARTED, (403, {}, "")))
    await put(page, f'<headway-progress src="{EVENTS}"></headway-progress>')
    bar = page.get_by_role("progressbar")
    await expect(bar).to_have_attribute("aria-valuetext", "Running")
    assert await bar.get_attribute("aria-valuenow") is None


async def test_the_end_is_said_and_told_to_the_page(page: Page) -> None:
    await page.route(EVENTS, Server(STARTED + finished(3, "All in.")))
    script = """() => document.addEventListener("finished", ({ target, detail }) => {
        window.heard = [target.localName, detail.return_value];
    }, { once: true })"""
    await page.evaluate(script)
    await put(page, f'<headway-progress src="{EVENTS}" label="Import"></headway-progress>')
    await expect(page.get_by_role("status")).to_have_text("Done: All in.")
    await expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "1")
    assert await page.evaluate("window.heard") == ["headway-progress", "All in."]


async def test_a_log_has_what_is_logged(page: Page) -> None:
    line = frame(3, "log", {"level": "info", "message": "<b>One</b>"})
    last = frame(4, "log", {"level": "warning", "message": "Two"})
    await page.route(EVENTS, Server(STARTED + line + last + finished(5)))
    await put(page, f'<headway-log src="{EVENTS}" max="2"></headway-log>')
    log = page.get_by_role("log", name="Log")
    await expect(log.get_by_role("listitem")).to_have_count(2)
    await expect(log.get_by_role("listitem").first).to_contain_text("<b>One</b>")
    await expect(log.get_by_role("listitem").last).to_contain_text("WARNING")


async def test_a_log_keeps_its_last_lines(page: Page) -> None:
    lines = (frame(n, "log", {"level": "info", "message": f"line {n}"}) for n in range(1, 41))
    await page.route(EVENTS, Server("".join(lines) + finished(41)))
    await put(page, f'<headway-log src="{EVENTS}" max="3" events></headway-log>')
    texts = page.get_by_role("log").get_by_role("listitem")
    await expect(texts.last).to_contain_text("finished")
    await expect(texts).to_have_count(3)


async def test_a_run_is_shown_whole_over_one_connection(page: Page) -> None:
    told = frame(3, "append", "Once ") + frame(4, "progress", PROGRESS) + frame(5, "append", "upon")
    error = {"status": "FAILED", "error": {"type": "ValueError", "message": "No price."}}
    server = Server(STARTED + told + frame(6, "finished", error))
    await page.route(EVENTS, server)
    await put(page, f'<headway-run src="{EVENTS}" label="Import"></headway-run>')
    card = page.get_by_role("region", name="Import")
    await expect(card.get_by_role("heading")).to_have_text("Import")
    await expect(card).to_contain_text("Once upon")
    await expect(card).to_contain_text("Failed: No price.")
    await expect(card.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "30")
    await card.get_by_text("Events").first.click()
    await expect(card.get_by_role("listitem")).to_have_count(6)
    assert len(server.cursors) == 1


async def test_a_new_attempt_begins_a_new_text(page: Page) -> None:
    again = frame(4, "retrying", {}) + frame(5, "started", {"attempt": 2})
    stream = STARTED + frame(3, "append", "Wrong") + again + frame(6, "append", "Right")
    await page.route(EVENTS, Server(stream + finished(7)))
    await put(page, f'<headway-run src="{EVENTS}"></headway-run>')
    region = page.get_by_role("region", name="Text")
    await expect(region).to_have_text("Right")


async def test_a_snapshot_is_enough(page: Page) -> None:
    state: dict[str, Any] = {
        "status": "RUNNING",
        "progress": PROGRESS,
        "attempt": 1,
        "text": "So far",
    }
    later = frame(8, "append", ", so good")
    await page.route(f"{EVENTS}?after=latest", Server(frame(7, "snapshot", state) + later))
    await page.route(EVENTS, Server(finished(9)))
    await put(page, f'<headway-run src="{EVENTS}" after="latest"></headway-run>')
    card = page.get_by_role("region", name="Run")
    await expect(card).to_contain_text("So far, so good")
    await expect(card.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "30")


async def test_an_element_that_leaves_the_page_hangs_up(page: Page) -> None:
    await page.route(EVENTS, Server(STARTED, (503, {"Retry-After": "60"}, "")))
    await put(page, f'<headway-run src="{EVENTS}"></headway-run>')
    script = """() => {
        const element = document.querySelector("headway-run");
        const { watch } = element;
        element.remove();
        return watch.result.catch(({ name }) => [name, watch.state]);
    }"""
    assert await page.evaluate(script) == ["WatchError", "closed"]


async def test_an_element_that_is_moved_goes_on(page: Page) -> None:
    await page.route(EVENTS, Server(STARTED + finished(3)))
    await put(page, f'<headway-progress src="{EVENTS}"></headway-progress><p></p>')
    script = """() => {
        const element = document.querySelector("headway-progress");
        const { watch } = element;
        document.querySelector("p").append(element);
        return watch === element.watch;
    }"""
    assert await page.evaluate(script)
    await expect(page.get_by_role("status")).to_have_text("Done")


async def test_one_watch_of_the_page_for_several_elements(page: Page) -> None:
    server = Server(STARTED + finished(3, "Yes."))
    await page.route(EVENTS, server)
    await put(page, "<headway-progress></headway-progress><headway-log events></headway-log>")
    script = f"""async () => {{
        const {{ watch }} = await import("{ORIGIN}/static/headway/headway.js");
        const run = watch("{EVENTS}");
        for (const element of document.body.children) element.watch = run;
        await run.result;
    }}"""
    await page.evaluate(script)
    await expect(page.get_by_role("status")).to_have_text("Done: Yes.")
    await expect(page.get_by_role("listitem")).to_have_count(3)
    assert len(server.cursors) == 1


async def test_what_was_rendered_is_shown_before_anything_comes(page: Page) -> None:
    server = Server((403, {}, ""))
    await page.route(EVENTS, server)
    rendered = """<headway-run src="%s" after="7" status="RUNNING" label="Import"
        progress='{"done": 30, "total": 120}'><pre data-text>Once</pre></headway-run>"""
    await put(page, rendered % EVENTS)
    card = page.get_by_role("region", name="Import")
    await expect(card.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "30")
    await expect(card).to_contain_text("Once")
    assert server.cursors == ["7"]


async def test_a_rendered_outcome_stays(page: Page) -> None:
    await page.route(EVENTS, Server((204, {}, "")))
    rendered = """<headway-run src="%s" after="7" status="FAILED" label="Import">
        <p data-outcome>No price.</p></headway-run>"""
    await put(page, rendered % EVENTS)
    card = page.get_by_role("region", name="Import")
    await expect(card).to_contain_text("Failed: No price.")
