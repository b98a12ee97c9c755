"""A command that writes much, beside one who watches and does not read: all of it is in the log."""

import json
import socket
from collections.abc import Iterator

import httpx
import pytest
from httpx_sse import connect_sse

from tests.chaos.service.client import enqueue
from tests.ledger import Ledger
from tests.stacks import Serve, Show, Stack

pytestmark = pytest.mark.e2e

LINE = 100  # bytes
GROWTH = 100 * 2**20  # bytes of memory; the output of the long form is half of that
PROGRAM = 'BEGIN {{ for (n = 1; n <= {lines}; n++) printf "%09d %089d\\n", n, 0 }}'


@pytest.mark.parametrize(
    ("megabytes", "patience"),
    [
        (1, 100),
        pytest.param(50, 1500, marks=[pytest.mark.soak, pytest.mark.timeout(1800)]),
    ],
)
async def test_every_line_is_in_the_log(
    serve: Serve, stack: Stack, ledger: Ledger, show: Show, megabytes: int, patience: float
) -> None:
    lines = megabytes * 2**20 // LINE
    server = serve().start()
    small = enqueue(server, "shell", "echo warm")
    await ledger.until_finished(small)
    before = server.usage().rss
    run_id = enqueue(server, "awk", PROGRAM.format(lines=lines))
    with socket.create_connection(("127.0.0.1", server.port)) as stalled:
        path = f"/tasks/{run_id}/events/"
        stalled.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        most = before

        def finished() -> bool:
            nonlocal most
            most = max(most, server.usage().rss)
            return ledger.run(run_id).status == "SUCCESSFUL"

        await ledger.until(finished, patience)
    numbers = [int(text[:9]) for text in texts(stack, run_id)]
    assert numbers == list(range(1, lines + 1))
    show(f"{megabytes} MB in {lines} lines: memory grew by {(most - before) / 2**20:.0f} MB")
    assert most - before < GROWTH


def test_both_streams_are_told_apart_and_the_value_stays(serve: Serve) -> None:
    server = serve().start()
    run_id = enqueue(server, "shell", "echo to stdout; echo to stderr >&2")
    path = f"{server.url}/tasks/{run_id}/"
    with httpx.Client(timeout=60) as client:
        for _ in range(2):  # whoever watches takes nothing away
            with connect_sse(client, "GET", f"{path}events/") as source:
                events = list(source.iter_sse())
            assert events[-1].event == "finished"
            output = [event.json()["data"] for event in events if event.event == "output"]
            assert {one["stream"]: one["text"] for one in output} == {
                "stdout": "to stdout",
                "stderr": "to stderr",
            }
            assert client.get(path).json()["return_value"]["exit_code"] == 0


def texts(stack: Stack, run_id: str) -> Iterator[str]:
    rows = stack.rows(
        "SELECT data FROM headway_event WHERE run_id = ? AND type = 'output' ORDER BY seq",
        [stack.key(run_id)],
    )
    return (json.loads(row[0])["text"] for row in rows)
