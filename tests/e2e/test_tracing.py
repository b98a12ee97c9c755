"""A trace from a client's request through a web process to a worker's two attempts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.chaos.service.marks import marks
from tests.live import LiveServer
from tests.stacks import SERVICE, Stack

pytestmark = pytest.mark.e2e

TRACE = "0af7651916cd43dd8448eb211c80319c"
TASK = "tests.e2e.traced.tasks.errand"


def run_to_its_end(web: LiveServer) -> str:
    token = {"X-CSRFToken": "x" * 32, "Cookie": "csrftoken=" + "x" * 32}
    headers = {**token, "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    with httpx.Client(base_url=web.url, timeout=30) as client:
        answer = client.post("/tasks/", json={"task": TASK}, headers=headers)
        run_id: str = answer.raise_for_status().json()["id"]
        assert "event: finished" in client.get(f"/tasks/{run_id}/events/").text
        assert "traceparent" not in client.get(f"/tasks/{run_id}/").text
    return run_id


def test_one_trace(live: Callable[..., LiveServer], stack: Stack, tmp_path: Path) -> None:
    traces = tmp_path / "traces"
    env = {
        **stack.env,
        "HEADWAY_APPS": f"{SERVICE},tests.e2e.traced",
        "HEADWAY_AUTHZ": f"{SERVICE}.authz.everybody",
        "HEADWAY_BACKOFF": "0.01",
        "TRACES": str(traces),
    }
    web = live({**env, "HEADWAY_ROLE": "web"}, application="tests.e2e.traced.asgi:application")
    web.start()
    worker = live(env, server="worker").start()
    run_id = run_to_its_end(web)
    worker.terminate()
    assert worker.wait() == 0  # the last span has been written

    spans = [json.loads(line) for line in marks(traces)]
    mine = [span for span in spans if span["context"]["trace_id"] == f"0x{TRACE}"]
    by_id = {span["context"]["span_id"]: span for span in mine}

    def path(span: dict[str, Any]) -> list[str]:
        above = by_id.get(span["parent_id"])
        return [*(path(above) if above else []), span["name"]]

    request, enqueue, process = "POST /tasks/", f"enqueue {TASK}", f"process {TASK}"
    attempt = [request, enqueue, process]
    assert sorted(map(path, mine)) == sorted(
        [
            [request],
            [request, enqueue],
            *[attempt, [*attempt, "in the coroutine"], [*attempt, "in a thread"]] * 2,
        ]
    )
    first, second = (span for span in mine if span["name"] == process)
    assert [span["kind"] for span in (first, second)] == ["SpanKind.CONSUMER"] * 2
    assert first["attributes"]["messaging.message.id"] == run_id
    assert [span["attributes"]["headway.attempt"] for span in (first, second)] == [1, 2]
    assert (first["status"]["status_code"], second["status"]["status_code"]) == ("ERROR", "UNSET")
    assert [event["name"] for event in first["events"]] == ["tick", "exception"]
