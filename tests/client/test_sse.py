"""The client over Server-Sent Events."""

import pytest
from playwright.async_api import Page

from tests.client.answers import CLIENT, EVENTS, STREAM, Answer, Server, finished, frame, watched

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="package")]


async def test_a_stream_that_is_cut_goes_on_behind_the_last_event(page: Page) -> None:
    server = Server(": hi\n\n" + frame(1) + frame(2), frame(3), finished(4, {"rows": 3}))
    await page.route(EVENTS, server)
    seen = await watched(page)
    assert seen["seqs"] == [1, 2, 3, 4]
    assert seen["result"] == {"status": "SUCCESSFUL", "return_value": {"rows": 3}}
    assert server.cursors == [None, "2", "3"]
    assert seen["states"] == ["live", "reconnecting", "live", "reconnecting", "live", "ended"]


async def test_an_incomplete_event_at_the_cut_is_asked_for_again(page: Page) -> None:
    server = Server(frame(1) + frame(2)[:-1], frame(2) + finished(3))
    await page.route(EVENTS, server)
    assert (await watched(page))["seqs"] == [1, 2, 3]
    assert server.cursors == [None, "1"]


async def test_a_repeated_event_is_dropped_and_counted(page: Page) -> None:
    await page.route(EVENTS, Server(frame(1) + frame(2) + frame(2) + frame(1) + finished(3)))
    seen = await watched(page)
    assert (seen["seqs"], seen["duplicates"]) == ([1, 2, 3], 2)


@pytest.mark.parametrize("bad", [frame(4), "data: {\n\n"], ids=["a hole", "no JSON"])
async def test_a_faulty_stream_is_read_again_from_the_cursor(page: Page, bad: str) -> None:
    server = Server(frame(1) + bad, frame(2) + finished(3))
    await page.route(EVENTS, server)
    assert (await watched(page))["seqs"] == [1, 2, 3]
    assert server.cursors == [None, "1"]


async def test_after_is_where_it_begins(page: Page) -> None:
    server = Server(frame(8) + finished(9))
    await page.route(EVENTS, server)
    assert (await watched(page, "{ after: 7 }"))["seqs"] == [8, 9]
    assert server.cursors == ["7"]


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_refusal_is_final(page: Page, status: int) -> None:
    server = Server((status, {}, "no"))
    await page.route(EVENTS, server)
    seen = await watched(page)
    assert seen["result"]["code"] == status
    assert seen["states"] == ["refused"]
    assert len(server.cursors) == 1


async def test_a_page_instead_of_a_stream_is_final(page: Page) -> None:
    await page.route(EVENTS, Server((200, {"Content-Type": "text/html"}, "<p>Log in")))
    assert (await watched(page))["states"] == ["refused"]


async def test_nothing_left_is_an_end_without_a_result(page: Page) -> None:
    server = Server((204, {}, ""))
    await page.route(EVENTS, server)
    seen = await watched(page, "{ after: 9 }")
    assert (seen["result"], seen["states"]) == (None, ["ended"])
    assert len(server.cursors) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_server_in_trouble_is_asked_again(page: Page, status: int) -> None:
    await page.route(EVENTS, Server((status, {"Retry-After": "0"}, ""), finished(1)))
    seen = await watched(page)
    assert seen["states"] == ["reconnecting", "live", "ended"]


async def test_the_server_may_ask_for_a_longer_wait(page: Page) -> None:
    await page.route(EVENTS, Server("retry: 120\n\n", (503, {"Retry-After": "1"}, ""), finished(1)))
    script = f"""async () => {{
        const run = ({CLIENT}).watch("{EVENTS}");
        const waits = [];
        run.on(":state", ({{ state, wait }}) => state === "reconnecting" && waits.push(wait));
        await run.result;
        return waits;
    }}"""
    assert await page.evaluate(script) == [120, 1000]


async def test_a_server_that_is_full_is_no_failure(page: Page) -> None:
    """As long as it says, and spread over as long again: however often it is full."""
    full: list[Answer] = [(503, {"Retry-After": f"0.{n}"}, "") for n in (1, 2, 3)]
    await page.route(EVENTS, Server(*full, (503, {}, ""), finished(1)))
    script = f"""async () => {{
        Math.random = () => 1 / 2;
        const run = ({CLIENT}).watch("{EVENTS}");
        const waits = [];
        run.on(":state", ({{ state, wait }}) => state === "reconnecting" && waits.push(wait));
        await run.result;
        return waits;
    }}"""
    # Half of what the first wait may be at least; the last one is the first failure.
    assert await page.evaluate(script) == [350, 450, 550, 250]


@pytest.mark.parametrize(
    ("after", "low", "high"),
    [
        ("7", 7_000, 7_000),
        ("86400", 300_000, 300_000),
        ("soon", 0, 0),
        ("-1", 0, 0),
        ("Tue, 01 Jan 2030 00:00:00 GMT", 300_000, 300_000),
        ("Tue, 01 Jan 2019 00:00:00 GMT", 0, 0),
    ],
)
async def test_how_long_a_server_may_have_us_wait(
    page: Page, after: str, low: int, high: int
) -> None:
    script = f"async (after) => ({CLIENT}).outcomeOfStatus(503, after)"
    outcome = await page.evaluate(script, after)
    assert low <= outcome["wait"] <= high if low else "wait" not in outcome
    assert outcome["told"] is bool(low)


async def test_nothing_calls_us_back_before_the_server_wants_us(page: Page) -> None:
    server = Server((503, {"Retry-After": "1"}, ""), finished(1))
    await page.route(EVENTS, server)
    script = f"""async () => {{
        const run = ({CLIENT}).watch("{EVENTS}");
        let since = 0;
        run.on(":state", ({{ state }}) => {{
            if (state !== "reconnecting") return;
            since = performance.now();
            setTimeout(() => dispatchEvent(new Event("online")));  // once it rests
        }});
        await run.result;
        return performance.now() - since;
    }}"""
    assert await page.evaluate(script) > 900


async def test_the_server_says_how_often_it_is_to_be_heard(page: Page) -> None:
    """A stream that falls silent is left after two and a half of its heartbeats, not of ours."""
    silent = ": heartbeat 0.2\n\n"
    script = f"""async () => {{
        const says = (text) => new Response(new ReadableStream({{
            start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
        }}), {{ headers: {{ "Content-Type": "text/event-stream" }} }});
        const asked = [];
        window.fetch = async () => {{
            asked.push(performance.now());
            return says(asked.length > 1 ? {finished(1)!r} : {silent!r});
        }};
        const run = ({CLIENT}).watch("{EVENTS}");
        let reason = "";
        run.on(":state", (change) => {{ reason ||= change.reason; }});
        await run.result;
        return [reason, asked[1] - asked[0]];
    }}"""
    reason, silence = await page.evaluate(script)
    assert reason == "nothing heard for 1 s"  # rounded
    assert silence >= 490


async def test_an_error_is_no_stream_whatever_its_type(page: Page) -> None:
    await page.route(EVENTS, Server((503, STREAM, finished(1)), finished(1)))
    assert (await watched(page))["states"] == ["reconnecting", "live", "ended"]


async def test_waits_grow_until_an_event_comes(page: Page) -> None:
    trouble: Answer = (503, {}, "")
    server = Server(trouble, trouble, trouble, frame(1), trouble, finished(2))
    await page.route(EVENTS, server)
    script = f"""async () => {{
        Math.random = () => 1 / 100;
        const run = ({CLIENT}).watch("{EVENTS}");
        const waits = [];
        run.on(":state", ({{ state, wait }}) => state === "reconnecting" && waits.push(wait));
        await run.result;
        return waits;
    }}"""
    assert await page.evaluate(script) == [5, 10, 20, 5, 10]


async def test_an_event_may_come_in_pieces(page: Page) -> None:
    script = f"""async ([first, size]) => {{
        const bytes = new TextEncoder().encode(first);
        window.fetch = async () => new Response(new ReadableStream({{
            start(controller) {{
                for (let at = 0; at < bytes.length; at += size) {{
                    controller.enqueue(bytes.slice(at, at + size));
                }}
                controller.close();
            }},
        }}), {{ headers: {{ "Content-Type": "text/event-stream" }} }});
        const {{ return_value }} = await ({CLIENT}).watch("{EVENTS}").result;
        return return_value;
    }}"""
    for size in (1, 2, 3, 5, 64):
        stream = frame(1) + finished(2, "é 星 🚂")
        assert await page.evaluate(script, [stream, size]) == "é 星 🚂"
