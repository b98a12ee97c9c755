"""The pure functions of the client: event streams, waits."""

from itertools import pairwise

import pytest
from playwright.async_api import Page

from tests.client.answers import WIRE

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="package")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
async def test_a_stream_torn_anywhere_gives_the_same_blocks(page: Page, end: str) -> None:
    stream = ": hello\n\nretry: 250\n\nid: 7\nevent: a.b\ndata: é 星\n\ndata\ndata:x\n\n"
    late = "id: 8\ndata: late"
    script = f"""async (text) => {{
        const {{ parseEventStream }} = {WIRE};
        const seen = [];
        for (let cut = 0; cut <= text.length; cut += 1) {{
            const first = parseEventStream(text.slice(0, cut));
            const second = parseEventStream(first.rest + text.slice(cut));
            seen.push([[...first.blocks, ...second.blocks], second.rest]);
        }}
        return seen;
    }}"""
    seen = await page.evaluate(script, (stream + late).replace("\n", end))
    blocks = [
        {"event": "message"},
        {"event": "message", "retry": 250},
        {"event": "a.b", "id": "7", "data": "é 星"},
        {"event": "message", "data": "\nx"},
    ]
    assert len(seen) > 50
    assert all(found == [blocks, late.replace("\n", end)] for found in seen)


@pytest.mark.parametrize(
    ("line", "block"),
    [
        ("data:  two spaces", {"event": "message", "data": " two spaces"}),
        ("id: a\0b", {"event": "message"}),
        ("retry: soon", {"event": "message"}),
        ("nonsense: 1", {"event": "message"}),
        (": heartbeat 2.5", {"event": "message", "heartbeat": 2.5}),
        (": heartbeat", {"event": "message"}),
        ("event:", {"event": "message"}),
        ("id", {"event": "message", "id": ""}),
    ],
)
async def test_a_field(page: Page, line: str, block: dict[str, str]) -> None:
    script = f"async (text) => ({WIRE}).parseEventStream(text).blocks"
    assert await page.evaluate(script, f"{line}\n\n") == [block]


async def test_waits_double_up_to_a_ceiling_and_jitter_down_to_nothing(page: Page) -> None:
    script = f"""async () => {{
        const {{ backoff }} = {WIRE};
        const tries = [...Array(12).keys(), 5000];
        return [0, 0.5, 1].map((random) => tries.map((n) => backoff(n, () => random)));
    }}"""
    lowest, middle, highest = await page.evaluate(script)
    assert set(lowest) == {0}
    assert highest[:6] == [500, 1000, 2000, 4000, 8000, 16000]
    assert set(highest[6:]) == {20000}
    assert all(a <= b for a, b in pairwise(middle))
    assert middle[0] == 250


@pytest.mark.parametrize(
    ("code", "waits"),
    [
        (4012, [0, 6000]),
        (1012, [0, 6000]),  # uvicorn
        (1006, [None, None]),  # cut off: backoff alone
        (4429, [1000, 6000]),  # as Retry-After over HTTP
    ],
)
async def test_clients_of_a_server_that_stops_come_back_spread(
    page: Page, code: int, waits: list[int | None]
) -> None:
    script = f"""async (code) => {{
        const {{ outcomeOfClose }} = {WIRE};
        return [0, 1].map((random) => outcomeOfClose(code, "", () => random).wait ?? null);
    }}"""
    assert await page.evaluate(script, code) == waits
