"""Log lines of a real server whose runs talk all at once, as text and as JSON."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tests.chaos.service.client import enqueue_many
from tests.live import LiveServer
from tests.stacks import Serve, Stack

pytestmark = pytest.mark.e2e

LINES = 20  # of each run, from each of its ways to execute code


def talking(serve: Serve, stack: Stack, **env: str) -> tuple[LiveServer, list[str]]:
    """A server whose runs have talked: two coroutines and a thread."""
    server = serve(poll=3600)
    server.env |= env
    server.arguments = ("-v", "0")  # stdout has daphne's access log otherwise
    server.start()
    runs = enqueue_many(server, "talk", ("ant", LINES), ("bee", LINES))
    runs += enqueue_many(server, "talk_in_thread", ("cat", LINES))
    for run_id, word in zip(runs, ("ant", "bee", "cat"), strict=True):
        server.wait_line(f"{word} is silent")
        assert stack.rows("SELECT 1 FROM headway_run WHERE id = ?", (stack.key(run_id),))
    return server, runs


def test_every_line_is_an_object_and_a_runs_lines_are_its_own(serve: Serve, stack: Stack) -> None:
    began = datetime.now(UTC)
    server, runs = talking(serve, stack, LOG_FORMAT="json", LOG_LEVEL="DEBUG", DEBUG="1")
    lines = [json.loads(line) for line in server.lines]
    for line in lines:
        assert {"time", "level", "logger", "message"} <= line.keys()
        at = datetime.fromisoformat(line["time"])
        assert at.utcoffset() == timedelta(0)
        assert began - timedelta(seconds=60) < at < datetime.now(UTC)
    (worker,) = {line["worker"] for line in lines if "run_id" in line}
    for run_id, word in zip(runs, ("ant", "bee", "cat"), strict=True):
        mine = [line for line in lines if line.get("run_id") == run_id]
        said = Counter(line["where"] for line in lines if line["message"].startswith(f"{word} in "))
        assert said == Counter(line["where"] for line in mine if "where" in line)
        assert all(count == LINES for count in said.values()), said
        assert len(said) == (1 if word == "cat" else 3)
        task = "talk_in_thread" if word == "cat" else "talk"
        assert {(line["task"], line["attempt"]) for line in mine} == {
            (f"tests.chaos.service.tasks.{task}", 1)
        }
        # Django's own logger too: the query that the run made.
        queries = [line for line in lines if f"FROM {word}" in line.get("sql", "")]
        assert [line["run_id"] for line in queries] == [run_id]
    assert any(line["logger"] == "headway" and "run_id" not in line for line in lines)
    assert worker in {line.get("worker") for line in lines if "run_id" not in line}


def test_lines_of_text_end_with_the_run_where_there_is_one(serve: Serve, stack: Stack) -> None:
    server, runs = talking(serve, stack)
    for run_id, word in zip(runs, ("ant", "bee", "cat"), strict=True):
        mine = [line for line in server.lines if f": {word} " in line]
        assert mine
        assert all(f" run_id={run_id} task=tests.chaos.service" in line for line in mine)
    (ready,) = [line for line in server.lines if "Ready, as" in line]
    assert ready.endswith("Ready, as 'all'.")
