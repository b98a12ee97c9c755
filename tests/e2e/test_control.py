"""Ending a run that another process executes."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.chaos.service.client import enqueue
from tests.chaos.service.marks import leave, marks
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import Serve, Show

pytestmark = pytest.mark.e2e

GRACE = 0.5  # seconds
LATEST = 1.0  # seconds


def ask(server: LiveServer, run_id: str, what: str) -> None:
    url = f"{server.url}/tasks/{run_id}/{what}/"
    token = "a" * 32  # what Django would have given a page
    headers = {"Cookie": f"csrftoken={token}", "X-CSRFToken": token}
    assert httpx.post(url, headers=headers).status_code == 202


def snapshot(server: LiveServer, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{server.url}/tasks/{run_id}/").json()
    return found


@pytest.mark.parametrize("task", ["rest", "rest_in_thread"])
async def test_a_request_reaches_the_owner_in_under_a_second(
    serve: Serve, ledger: Ledger, show: Show, tmp_path: Path, task: str
) -> None:
    web = serve(role="web").start()
    owner = serve(grace=5).start()
    path = tmp_path / "marks"
    run_id = enqueue(web, task, str(path), 3600)
    await ledger.until(lambda: len(ledger.log(run_id)) == 3)  # queued, started, resting

    asked = time.monotonic()
    ask(web, run_id, "stop")
    await ledger.until(lambda: len(marks(path)) == 2)
    took = time.monotonic() - asked

    show(f"{took * 1000:.0f} ms")
    assert marks(path)[1].startswith(f"{owner.process.pid} cancelled")
    assert took < LATEST
    await ledger.until_finished(run_id, "CANCELLED")
    assert snapshot(web, run_id)["stopping"] is None


async def test_a_stop_that_is_ignored_is_seen_and_a_kill_ends_it(
    serve: Serve, ledger: Ledger, tmp_path: Path
) -> None:
    web = serve(role="web").start()
    owner = serve(grace=GRACE).start()
    path = tmp_path / "marks"
    run_id = enqueue(web, "deaf", str(path))
    await ledger.until(lambda: marks(path))

    ask(web, run_id, "stop")
    await ledger.until(lambda: [kind for _, kind in ledger.log(run_id)][2:] == ["stopping"])
    state = snapshot(web, run_id)
    assert (state["status"], state["stopping"], state["stop_ignored"]) == ("RUNNING", "stop", False)
    await ledger.until(lambda: len(ledger.log(run_id)) == 4)
    owner.wait_line("ignores its stop")
    state = snapshot(web, run_id)
    assert (state["status"], state["stopping"], state["stop_ignored"]) == ("RUNNING", "stop", True)

    ask(web, run_id, "kill")
    await ledger.until_finished(run_id, "CANCELLED")

    leave(str(path), "now it may return")
    state = snapshot(web, run_id)
    assert (state["stopping"], state["stop_ignored"]) == (None, True)
    said = [json.loads(row[4]) for row in ledger.everything(run_id)[1] if row[2] == "stopping"]
    assert said == [{"request": "stop"}, {"request": "stop", "ignored": True, "seconds": GRACE}]
