"""What a server says to the client, made up, and what the client makes of it."""

import json
from typing import Any

from playwright.async_api import Page, Route, WebSocketRoute

__all__ = [
    "CLIENT",
    "EVENTS",
    "ORIGIN",
    "STREAM",
    "WIRE",
    "Answer",
    "Server",
    "Sockets",
    "envelope",
    "finished",
    "frame",
    "watched",
]

ORIGIN = "http://headway.test"
EVENTS = f"{ORIGIN}/tasks/1/events/"
CLIENT = f'await import("{ORIGIN}/static/headway/headway.js")'
WIRE = CLIENT  # it exports its pure functions too
STREAM = {"Content-Type": "text/event-stream"}

Answer = tuple[int, dict[str, str], str]


def envelope(seq: int, kind: str = "tick", data: object = None) -> str:
    return json.dumps(
        {"run": "1", "seq": seq, "type": kind, "at": "", "data": data}, ensure_ascii=False
    )


def frame(seq: int, kind: str = "tick", data: object = None) -> str:
    return f"id: {seq}\nevent: {kind}\ndata: {envelope(seq, kind, data)}\n\n"


def finished(seq: int, value: object = None) -> str:
    return frame(seq, "finished", {"status": "SUCCESSFUL", "return_value": value})


class Server:
    """Answers the requests for events one after the other, and keeps their cursors."""

    def __init__(self, *answers: Answer | str) -> None:
        self.answers = [a if isinstance(a, tuple) else (200, STREAM, a) for a in answers]
        self.cursors: list[str | None] = []

    async def __call__(self, route: Route) -> None:
        self.cursors.append(await route.request.header_value("Last-Event-ID"))
        status, headers, body = self.answers[len(self.cursors) - 1]
        await route.fulfill(status=status, headers=headers, body=body)


async def watched(page: Page, options: str = "{}", url: str = EVENTS) -> dict[str, Any]:
    """Watch to the end; the seqs and states seen, duplicates, the result or its error."""
    script = f"""async () => {{
        const {{ watch }} = {CLIENT};
        const run = watch("{url}", {options});
        const seqs = [], states = [];
        run.on("*", ({{ seq }}) => seqs.push(seq));
        run.on(":state", ({{ state }}) => states.push(state));
        const result = await run.result.catch(({{ code, message }}) => ({{ code, message }}));
        await new Promise((resolve) => setTimeout(resolve));  // for the last change of state
        return {{ seqs, states, result, duplicates: run.duplicates }};
    }}"""
    seen: dict[str, Any] = await page.evaluate(script)
    return seen


class Sockets:
    """Serves sockets one after the other: the frames to send, then the code to close with."""

    def __init__(self, *scripts: tuple[list[str], int]) -> None:
        self.scripts = scripts
        self.urls: list[str] = []

    async def __call__(self, socket: WebSocketRoute) -> None:
        self.urls.append(socket.url)
        frames, code = self.scripts[len(self.urls) - 1]
        for text in frames:
            socket.send(text)
        await socket.close(code=code, reason="test")
