"""An agent whose process dies goes on where it was."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.chaos.service.client import Site
from tests.ledger import Ledger
from tests.stacks import SERVICE, Serve
from tests.tasks.agents.conftest import KEY
from tests.tasks.agents.endpoint import (
    DONE,
    Endpoint,
    calling,
    chunk,
    finish,
    saying,
    silent,
    streamed,
    usage,
)
from tests.tasks.agents.endpoint import endpoint as serving
from tests.tasks.watching import alive

pytestmark = pytest.mark.e2e


APPS = f"{SERVICE},tests.chaos.guided"


def ask(server: Site, agent: str, question: str) -> str:
    token = "a" * 32
    answer = httpx.post(
        f"{server.url}/tasks/",
        json={"task": agent, "args": [question]},
        headers={"X-CSRFToken": token, "Cookie": f"csrftoken={token}"},
        timeout=30,
    )
    run_id: str = answer.raise_for_status().json()["id"]
    return run_id


def data(ledger: Ledger, run_id: str, type_: str) -> list[Any]:
    _, events = ledger.everything(run_id)
    return [json.loads(event[4]) for event in events if event[2] == type_]


def provider(endpoint: Endpoint) -> str:
    return json.dumps({"default": {"BASE_URL": endpoint.url, "MODEL": "tiny", "API_KEY": KEY}})


async def test_a_killed_server_repeats_nothing_that_is_done(
    serve: Serve, ledger: Ledger, tmp_path: Path
) -> None:
    file = tmp_path / "marks"
    call = calling(0, "a", "mark", json.dumps({"path": str(file)}))
    async with serving() as endpoint:
        endpoint.will(
            streamed(call, finish("tool_calls"), usage(9, 1), DONE),
            silent(chunk({"content": "It is"})),
        )
        server = serve(apps=APPS, agents=provider(endpoint), lease=1).start()
        run_id = ask(server, "guide", "Do it.")
        await ledger.until(lambda: data(ledger, run_id, "append"))
        server.kill()
        before = server.output
        endpoint.will(saying("It is done."))
        server.restart()
        await ledger.until_finished(run_id)
    value = ledger.run(run_id).return_value
    assert (value["text"], value["turns"], value["calls"]) == ("It is done.", 2, 1)
    assert value["usage"] == {"input_tokens": 12, "output_tokens": 3}
    assert file.read_text() == "done\n"
    first, second, third = endpoint.asked
    assert second.body == third.body != first.body
    assert third.headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in before + server.output + str(ledger.everything(run_id))


async def test_no_program_outlives_a_killed_server(serve: Serve, ledger: Ledger) -> None:
    line = "trap '' TERM; sleep 600 & setsid sleep 600 & echo $$ $!; wait"
    program = {"BACKEND": "tasks.agents.commandline.CommandLine", "COMMAND": ["sh", "-c", line]}
    server = serve(apps=APPS, agents=json.dumps({"program": program})).start()
    run_id = ask(server, "caller", "Go.")
    await ledger.until(lambda: data(ledger, run_id, "append"))
    pids = list(map(int, data(ledger, run_id, "append")[0].split()))
    assert all(map(alive, pids))
    server.kill()
    await ledger.until(lambda: not any(map(alive, pids)))
