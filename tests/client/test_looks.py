"""How the elements look: in light and dark, wide and narrow.

Pictures are left in the folder that ``SCREENSHOTS`` names.
"""

import os
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page, Route, expect

from tests.client.answers import ORIGIN, STREAM, frame

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="package")]

STARTED = frame(1, "queued", {}) + frame(2, "started", {"attempt": 1})
PROGRESS = frame(3, "progress", {"done": 4800, "total": 12000, "message": "rows", "rate": 1500})
LONG = "A line that is longer than a narrow page is wide, and " + "w" * 90
LOG = "".join(
    frame(4 + n, "log", {"level": level, "message": f"{level}: {LONG}"})
    for n, level in enumerate(("info", "warning", "error"))
)
TOLD = frame(7, "append", "There was once a lighthouse keeper. " * 6)
ENDS = {
    "good": {"status": "SUCCESSFUL", "return_value": "12,000 rows"},
    "bad": {"status": "FAILED", "error": {"type": "ValueError", "message": LONG}},
    "warn": {"status": "CANCELLED", "error": {"type": "stop", "message": ""}},
}
# Of every text in the page and in the elements: its contrast with what is behind it.
CONTRASTS = """() => {
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.backgroundColor = "Canvas";
    const canvas = getComputedStyle(probe).backgroundColor;
    probe.remove();
    const rgb = (color) => color.match(/[\\d.]+/g).map(Number);
    const light = (color) => rgb(color).slice(0, 3)
        .map((part) => part / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
        .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (node) => {
        for (; node; node = node.parentElement ?? node.getRootNode().host) {
            const color = getComputedStyle(node).backgroundColor;
            if (rgb(color)[3] !== 0) return color;
        }
        return canvas;
    };
    const found = {};
    const look = (node) => {
        if (node.shadowRoot) for (const child of node.shadowRoot.children) look(child);
        for (const child of node.children) look(child);
        const text = ({ nodeType, data }) => nodeType === Node.TEXT_NODE && data.trim();
        if (![...node.childNodes].some(text) || !node.checkVisibility()) return;
        const [one, two] = [getComputedStyle(node).color, behind(node)].map(light);
        const name = `${node.localName}.${node.className} ${node.textContent.slice(0, 20)}`;
        found[name] = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    };
    look(document.body);
    return found;
}"""


async def answer(body: str, route: Route) -> None:
    """A stream that is cut, and then not to be had any more."""
    if await route.request.header_value("Last-Event-ID"):
        await route.fulfill(status=503, headers={"Retry-After": "600"})
    else:
        await route.fulfill(headers=STREAM, body=body)


async def put(page: Page) -> None:
    """A card and a bar of runs that go on and have ended, and a log."""
    html = ""
    for name in ("on", *ENDS):
        events = f"{ORIGIN}/tasks/{name}/events/"
        end = frame(8, "finished", ENDS[name]) if name in ENDS else ""
        await page.route(events, partial(answer, STARTED + PROGRESS + LOG + TOLD + end))
        html += f'<p><headway-run src="{events}" label="Import of {name}"></headway-run></p>'
        if name in ("on", "bad"):
            html += f'<p><headway-progress src="{events}" label="{name}"></headway-progress></p>'
    html += f'<p><headway-log src="{events}" events></headway-log></p>'
    script = f"""async (html) => {{
        await import("{ORIGIN}/static/headway/elements.js");
        document.documentElement.style.colorScheme = "light dark";
        document.body.innerHTML = html;
    }}"""
    await page.evaluate(script, html)
    await expect(page.get_by_role("region", name="Import of bad")).to_contain_text("Failed: A line")
    await expect(page.get_by_role("region", name="Import of on")).to_contain_text("Reconnecting")
    await expect(page.get_by_role("log").last).to_contain_text("finished")
    await page.get_by_text("Events").first.click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1100])
async def test_how_they_look(
    page: Page, tmp_path: Path, scheme: Literal["light", "dark"], width: int
) -> None:
    await page.emulate_media(color_scheme=scheme)
    await page.set_viewport_size({"width": width, "height": 900})
    try:
        await put(page)
        folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
        await page.screenshot(path=folder / f"elements-{scheme}-{width}.png", full_page=True)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        contrasts: dict[str, float] = await page.evaluate(CONTRASTS)
    finally:
        await page.emulate_media(color_scheme="null")
        await page.set_viewport_size({"width": 1280, "height": 720})
    assert len(contrasts) > 20
    assert {text: found for text, found in contrasts.items() if found < 4.5} == {}
