"""Joining a run that has said much: one event, and then live."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests import streams
from tests.chaos.service.client import enqueue
from tests.chaos.service.marks import leave, left
from tests.ledger import Ledger
from tests.stacks import Serve, Show

pytestmark = pytest.mark.e2e

WORDS = 10_000


async def events(response: streams.Response) -> AsyncIterator[dict[str, Any]]:
    body = b""
    async for chunk in response.chunks():
        *blocks, body = (body + chunk).split(b"\n\n")
        for block in blocks:
            if (at := block.find(b"data: ")) >= 0:
                yield json.loads(block[at + 6 :])


@pytest.mark.parametrize("append", [0, 0.04])
async def test_joining_after_10000_tokens(
    serve: Serve, ledger: Ledger, tmp_path: Path, show: Show, append: float
) -> None:
    server = serve(append=append).start()
    mark = str(tmp_path / "mark")
    began = time.monotonic()
    run_id = enqueue(server, "speak", mark, WORDS)
    async with asyncio.timeout(40):
        while not left(f"{mark}.said"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # it is another process's event
    said = time.monotonic() - began
    whole = "".join(f"{number} " for number in range(WORDS))
    took = []
    for _ in range(3):
        began = time.monotonic()
        path = f"/tasks/{run_id}/events/?after=latest"
        async with streams.get(server.port, path) as response:
            found = events(response)
            snapshot = await anext(found)
            took.append(time.monotonic() - began)
            assert snapshot["type"] == "snapshot"
            assert snapshot["data"]["text"] == whole
            if len(took) == 3:
                leave(mark, "go on")
                rest = [event async for event in found]
    assert [event["type"] for event in rest] == ["append", "finished"]
    assert rest[0]["data"] == "end"
    assert [event["seq"] for event in rest] == [snapshot["seq"] + 1, snapshot["seq"] + 2]
    show(
        f"{WORDS} words in {said:.2f} s as {snapshot['seq']} events;"
        f" a snapshot after {', '.join(f'{seconds * 1000:.0f}' for seconds in took)} ms"
    )
    assert (snapshot["seq"] >= WORDS) == (not append)
