"""The pool of database connections: whoever empties it, and whatever becomes of what is in it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from asgi_app.databases import POOL
from tests.chaos.outages import Breakable, breakable
from tests.chaos.service.client import enqueue
from tests.chaos.service.marks import marks
from tests.ledger import Ledger
from tests.stacks import SERVICE, Serve

pytestmark = [pytest.mark.e2e, pytest.mark.servers]

LEASE = 1.0  # seconds
AT_ONCE = 10  # requests
CROWD = 200
ENGINE = 8  # connections of a process's own threads
HALF = 100 // 2  # of what PostgreSQL takes by default, from all processes


@pytest.fixture
def stack() -> Iterator[Breakable]:
    with breakable(SERVICE) as made:
        yield made


async def test_the_engine_goes_on_when_runs_have_taken_all_of_it(
    serve: Serve, stack: Breakable, ledger: Ledger, tmp_path: Path
) -> None:
    web = serve(role="web").start()
    worker = serve(lease=LEASE, grace=0.1)
    worker.env["DATABASE_URL"] = f"{stack.url}?pool_max_size=2"
    worker.start()
    for _ in range(2):
        enqueue(web, "hold", str(tmp_path / "held"), 3600)
    await ledger.until(lambda: len(marks(tmp_path / "held")) == 2)

    run_id = enqueue(web, "emit", 20, LEASE / 5)  # four leases
    await ledger.until_finished(run_id)

    assert ledger.run(run_id).attempt == 1
    assert ledger.statuses() == {"RUNNING": 2, "SUCCESSFUL": 1}
    assert len(marks(tmp_path / "held")) == 2  # their leases have been kept, too
    assert httpx.get(f"{worker.url}/health/ready").status_code == 200  # noqa: ASYNC210
    worker.terminate()
    assert worker.wait() == 0


async def test_clients_that_come_at_once_leave_room_for_other_processes(
    serve: Serve, stack: Breakable, tmp_path: Path
) -> None:
    server = serve().start()
    run_id = enqueue(server, "mark", str(tmp_path / "mark"))
    url = f"{server.url}/tasks/{run_id}/"
    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=None)) as client:
        answers = await asyncio.gather(*(client.get(url) for _ in range(CROWD)))
    assert {answer.status_code for answer in answers} == {200}
    # Idle ones are kept for seconds: these are the most that there were.
    assert 1 < stack.connections(server.process.pid) <= POOL["max_size"] + ENGINE < HALF


async def test_connections_that_a_restart_has_cut_reach_no_request(
    serve: Serve, stack: Breakable, tmp_path: Path
) -> None:
    server = serve(complains=True).start()
    run_id = enqueue(server, "mark", str(tmp_path / "mark"))
    url = f"{server.url}/tasks/{run_id}/"

    async with httpx.AsyncClient(timeout=20) as client:

        async def burst() -> list[int]:
            answers = await asyncio.gather(*(client.get(url) for _ in range(AT_ONCE)))
            return [answer.status_code for answer in answers]

        assert await burst() == [200] * AT_ONCE
        await asyncio.to_thread(stack.postgres.restart)
        assert await burst() == [200] * AT_ONCE


async def test_requests_in_an_outage_are_asked_to_come_again(
    serve: Serve, stack: Breakable, tmp_path: Path
) -> None:
    server = serve().start()
    run_id = enqueue(server, "mark", str(tmp_path / "mark"))
    url = f"{server.url}/tasks/{run_id}/"
    stack.postgres.kill()

    async with httpx.AsyncClient(timeout=20) as client:
        refused = await client.get(url)
        stack.postgres.start()
        answered = await client.get(url)

    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "1"
    assert refused.json()["error"]["code"] == "database_unavailable"
    assert answered.status_code == 200
