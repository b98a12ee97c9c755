"""A process of a run never outlives who executes it, and its end is nobody else's."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.chaos.service.client import enqueue, state
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import Serve, Show
from tests.tasks.watching import alive, parent

pytestmark = pytest.mark.e2e

#: What a page of ours sends with a POST.
TOKEN = {"cookie": f"csrftoken={'a' * 32}", "x-csrftoken": "a" * 32}


def data(ledger: Ledger, run_id: str, type_: str) -> list[Any]:
    _, events = ledger.everything(run_id)
    return [json.loads(event[4]) for event in events if event[2] == type_]


async def pids_of(ledger: Ledger, run_id: str) -> list[int]:
    """The pids that a run has told of."""
    await ledger.until(lambda: data(ledger, run_id, "family"))
    pids: list[int] = data(ledger, run_id, "family")[0]
    assert all(map(alive, pids))
    return pids


async def processes(server: LiveServer, ledger: Ledger, folder: Path) -> list[int]:
    """Those of a function and of a command, a leader's first."""
    pids = await pids_of(ledger, enqueue(server, "family", str(folder)))
    line = "trap '' TERM; sleep 600 & setsid sleep 600 & echo $$ $!; wait"
    command = enqueue(server, "shell", line)
    await ledger.until(lambda: data(ledger, command, "output"))
    return pids + [int(pid) for pid in data(ledger, command, "output")[0]["text"].split()]


@pytest.mark.parametrize("other", ["nobody", "fork server", "guardian"])
async def test_none_outlives_a_killed_server(
    serve: Serve, ledger: Ledger, show: Show, tmp_path: Path, other: str
) -> None:
    """With it goes nobody, or one of the two that would see to its end."""
    server = serve().start()
    pids = await processes(server, ledger, tmp_path)
    forks = parent(pids[0])
    others = {"nobody": [], "fork server": [forks], "guardian": [parent(forks)]}
    victims = [server.process.pid, *others[other]]
    for number in (signal.SIGSTOP, signal.SIGKILL):  # stopped, none sees the end of another
        for victim in victims:
            os.kill(victim, number)
    began = time.monotonic()
    await ledger.until(lambda: not any(map(alive, pids)))
    took = time.monotonic() - began
    show(f"{len(pids)} processes are gone {took:.2f} s after their server and {other}")


async def test_none_outlives_a_kill(
    serve: Serve, ledger: Ledger, show: Show, tmp_path: Path
) -> None:
    server = serve().start()
    run_id = enqueue(server, "family", str(tmp_path))
    pids = await pids_of(ledger, run_id)
    began = time.monotonic()
    async with httpx.AsyncClient(headers=TOKEN) as client:
        answer = await client.post(f"{server.url}/tasks/{run_id}/kill/", timeout=30)
    answer.raise_for_status()
    await ledger.until(lambda: not any(map(alive, pids)))
    show(f"{len(pids)} processes are gone {time.monotonic() - began:.2f} s after the request")
    await ledger.until_finished(run_id, "CANCELLED")
    assert len(data(ledger, run_id, "finished")) == 1


async def test_none_outlives_a_drain(serve: Serve, ledger: Ledger, tmp_path: Path) -> None:
    server = serve(grace=0.2).start()
    run_id = enqueue(server, "family", str(tmp_path))
    pids = await pids_of(ledger, run_id)
    server.terminate()
    assert server.wait() == 0
    await ledger.until(lambda: not any(map(alive, pids)))
    assert ledger.run(run_id).status == "READY"
    assert ledger.run(run_id).attempt == 0


async def test_its_end_is_nobody_elses(serve: Serve, ledger: Ledger, tmp_path: Path) -> None:
    """One takes too much memory, one is killed from outside: a sibling and the server go on."""
    server = serve(complains=True).start()
    sibling = enqueue(server, "emit", 100, 0.01)
    large, killed = enqueue(server, "allocate_too_much"), enqueue(server, "family", str(tmp_path))
    pids = await pids_of(ledger, killed)
    os.kill(pids[0], signal.SIGKILL)
    await ledger.until_finished(large, "FAILED")
    await ledger.until_finished(killed, "FAILED")
    await ledger.until(lambda: not any(map(alive, pids)))
    await ledger.until_finished(sibling)
    assert state(server).tasks
    assert "memory_mb=64" in data(ledger, large, "finished")[0]["error"]["message"]
    assert "SIGKILL" in data(ledger, killed, "finished")[0]["error"]["message"]
