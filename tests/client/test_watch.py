"""What a page has of a watch: iteration, listeners, its end."""

import pytest
from playwright.async_api import Page

from tests.client.answers import CLIENT, EVENTS, Server, finished, frame

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="package")]


async def test_iteration_ends_with_the_last_event(page: Page) -> None:
    await page.route(EVENTS, Server(frame(1), frame(2), finished(3)))
    script = f"""async () => {{
        const types = [];
        for await (const event of ({CLIENT}).watch("{EVENTS}")) types.push(event.type);
        return types;
    }}"""
    assert await page.evaluate(script) == ["tick", "tick", "finished"]


async def test_iteration_over_a_refused_watch_throws(page: Page) -> None:
    await page.route(EVENTS, Server((403, {}, "")))
    script = f"""async () => {{
        try {{ for await (const event of ({CLIENT}).watch("{EVENTS}")) return event; }}
        catch (error) {{ return [error.name, error.code]; }}
    }}"""
    assert await page.evaluate(script) == ["WatchError", 403]


async def test_a_listener_that_throws_loses_nothing(page: Page) -> None:
    await page.route(EVENTS, Server(frame(1) + frame(2) + finished(3)))
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.message))
    script = f"""async () => {{
        const run = ({CLIENT}).watch("{EVENTS}");
        const seqs = [];
        run.on("tick", () => {{ throw new Error("mine"); }});
        const off = run.on("tick", ({{ seq }}) => {{ seqs.push(seq); off(); }});
        await run.result;
        return seqs;
    }}"""
    assert await page.evaluate(script) == [1]
    assert errors == ["mine", "mine"]


async def test_a_closed_watch_hears_nothing_more_and_asks_for_nothing(page: Page) -> None:
    server = Server(frame(1) + frame(2) + finished(3))
    await page.route(EVENTS, server)
    script = f"""async () => {{
        const run = ({CLIENT}).watch("{EVENTS}");
        const seqs = [];
        run.on("*", ({{ seq }}) => {{ seqs.push(seq); run.close(); }});
        const error = await run.result.catch((error) => error.name);
        return [seqs, run.state, error];
    }}"""
    assert await page.evaluate(script) == [[1], "closed", "WatchError"]
    assert len(server.cursors) == 1


async def test_an_unknown_transport_is_an_error_at_once(page: Page) -> None:
    script = f"""async () => {{
        try {{ ({CLIENT}).watch("/", {{ transport: "pigeon" }}); }}
        catch (error) {{ return error.name; }}
    }}"""
    assert await page.evaluate(script) == "TypeError"
