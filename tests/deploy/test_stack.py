"""The shipped units and nginx.conf as one site: everything but systemd itself is real."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.deploy.knocking import CSRF, Call, knocking
from tests.deploy.site import Site, site
from tests.ledger import Ledger
from tests.processes import usage
from tests.services.stack import PostgresStack
from tests.stacks import SERVICE
from tests.watchers import SocketWatcher, StreamWatcher, Watcher, exactly, watching

pytestmark = [pytest.mark.e2e]

TASKS = f"{SERVICE}.tasks"


@pytest.fixture(scope="module")
def up(
    servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Site, PostgresStack]]:
    with site(tmp_path_factory.mktemp("site"), servers) as made:
        yield made
        for process in made[0].processes:
            assert "Traceback" not in process.output, process.output


@pytest.fixture
def served(up: tuple[Site, PostgresStack]) -> Site:
    return up[0]


@pytest.fixture
def ledger(up: tuple[Site, PostgresStack]) -> Ledger:
    return Ledger(up[1])


@pytest.fixture
def client(served: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, headers=CSRF, timeout=30) as made:
        yield made


def post(client: httpx.Client, task: str, *args: object) -> str:
    answer = client.post("/tasks/", json={"task": f"{TASKS}.{task}", "args": args})
    assert answer.status_code == 201, answer.text
    run_id: str = answer.json()["id"]
    return run_id


def some(port: int, run_id: str, each: int = 4) -> list[Watcher]:
    streams: list[Watcher] = [StreamWatcher(port, run_id) for _ in range(each)]
    return streams + [SocketWatcher(port, run_id) for _ in range(each)]


async def test_a_run_is_watched_to_its_end(
    served: Site, client: httpx.Client, ledger: Ledger
) -> None:
    run_id = post(client, "emit", 50, 0.01)
    watchers = some(served.port, run_id)
    async with watching(watchers):
        pass
    exactly(watchers, ledger)
    (worker,) = ledger.run(run_id).workers
    assert int(worker.split(":")[1]) in {process.process.pid for process in served.workers}


def test_a_post_streams_what_it_started(client: httpx.Client, ledger: Ledger) -> None:
    body = {"task": f"{TASKS}.emit", "args": [5]}
    with client.stream("POST", "/tasks/", json=body, headers={"Accept": "text/event-stream"}) as it:
        assert it.status_code == 201
        lines = [line for line in it.iter_lines() if line.startswith("data: ")]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert [(event["seq"], event["type"]) for event in events] == ledger.log(events[0]["run"])


def test_the_same_key_is_the_same_run(client: httpx.Client) -> None:
    """Whichever process is asked."""
    body = {"task": f"{TASKS}.emit", "args": [1]}
    asked = [
        client.post("/tasks/", json=body, headers={"Idempotency-Key": "k", "Connection": "close"})
        for _ in range(6)
    ]
    assert len({answer.json()["id"] for answer in asked}) == 1


async def test_a_stop_reaches_the_worker(
    served: Site, client: httpx.Client, ledger: Ledger, tmp_path: Path
) -> None:
    run_id = post(client, "rest", str(tmp_path / "mark"), 60)
    watchers = some(served.port, run_id, each=1)
    async with watching(watchers):
        for watcher in watchers:
            await watcher.reach(3)  # queued, started, resting
        answer = await asyncio.to_thread(client.post, f"/tasks/{run_id}/stop/")
        assert answer.status_code == 202
    exactly(watchers, ledger)
    assert ledger.run(run_id).status == "CANCELLED"


async def test_watchers_are_spread_over_the_processes(
    served: Site, client: httpx.Client, tmp_path: Path
) -> None:
    """Also if they come one by one, while all processes are idle."""
    run_id = post(client, "rest_until", str(tmp_path / "end"))
    before = [usage(process.process.pid).files for process in served.web]
    # So many that a moment in which one process had no core is none of them all.
    watchers = some(served.listening.port, run_id, each=200)
    async with asyncio.TaskGroup() as group:
        for watcher in watchers:
            group.create_task(watcher.watch())
            await watcher.reach(3)  # queued, started, resting
        after = [usage(process.process.pid).files for process in served.web]
        (tmp_path / "end").touch()
    shares = [now - then for now, then in zip(after, before, strict=True)]
    assert sum(shares) >= len(watchers) * 0.9  # other files are closed meanwhile
    assert min(shares) >= len(watchers) / 4, shares


def test_pages_and_files(client: httpx.Client) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").status_code == 200
    script = client.get("/static/headway/headway.js")
    assert script.status_code == 200
    assert script.headers["content-type"].startswith("text/javascript")
    assert client.get("/static/headway/no.js").status_code == 404


@pytest.mark.parametrize("size", [100_000, 2_000_000])
def test_a_large_body_is_refused(client: httpx.Client, size: int) -> None:
    """By Headway, or by nginx already."""
    headers = {"Content-Type": "application/json"}
    assert client.post("/tasks/", content=b" " * size, headers=headers).status_code == 413


async def test_a_restart_refuses_no_connection(served: Site, ledger: Ledger) -> None:
    """At the port itself as well: whoever comes while a process is down is not turned away."""
    before = [process.process.pid for process in served.web]
    call: Call = (f"{TASKS}.emit", [1])
    direct = f"http://127.0.0.1:{served.listening.port}"
    async with (
        knocking(served.url, call, hands=2) as through,
        knocking(direct, call, hands=2) as beside,
    ):
        for process in served.web:
            await asyncio.to_thread(process.restart)
    assert {process.process.pid for process in served.web}.isdisjoint(before)
    for knocks in (through, beside):
        assert set(knocks.answers) == {200, 201}, knocks
        for run_id in knocks.ids:
            await ledger.until_finished(run_id)


async def test_all_may_be_down_for_a_moment(served: Site) -> None:
    """Then connections wait for the first that is back."""
    async with knocking(served.url, (f"{TASKS}.emit", [1]), hands=2) as knocks:
        for process in served.web:
            process.terminate()
        for process in served.web:
            assert await asyncio.to_thread(process.wait) == 0, process.output
        for process in served.web:
            await asyncio.to_thread(process.start)
    assert set(knocks.answers) == {200, 201}, knocks


async def test_a_killed_process_costs_what_it_had_in_hand(
    served: Site, client: httpx.Client
) -> None:
    """Nothing that may be asked twice is lost: nginx asks again."""
    async with knocking(served.url, (f"{TASKS}.emit", [1]), hands=4) as knocks:
        for process in served.web:
            await asyncio.to_thread(process.kill)
            await asyncio.to_thread(process.start)
    assert set(knocks.answers) <= {200, 201, 502}, knocks
    # A POST that was sent and not answered is its sender's to repeat, with its key.
    assert knocks.answers[502] <= 4 * len(served.web)


async def test_a_worker_gives_back_what_it_cannot_end(
    served: Site, client: httpx.Client, ledger: Ledger, tmp_path: Path
) -> None:
    run_id = post(client, "emit", 1)
    await ledger.until_finished(run_id)
    for process in served.workers:
        assert await asyncio.to_thread(process.stop) == 0, process.output
    waiting = post(client, "emit", 1)
    assert ledger.run(waiting).status == "READY"
    for process in served.workers:
        await asyncio.to_thread(process.start)
    await ledger.until_finished(waiting)
