"""News of runs and of requests to stop, after what carries them was away."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.outages import Breakable, breakable
from tests.chaos.service.client import enqueue
from tests.chaos.service.marks import marks
from tests.live import LiveServer
from tests.services.service import Service
from tests.stacks import SERVICE, Serve, Show

pytestmark = [pytest.mark.e2e, pytest.mark.servers, pytest.mark.timeout(120)]

NEVER = 600.0  # seconds between two looks of a process that is not told
SOON = 1.0  # seconds
PATIENCE = 40  # news until one comes soon; layers need some seconds to find back


@pytest.fixture
def stack() -> Iterator[Breakable]:
    with breakable(SERVICE) as made:
        yield made


@pytest.mark.parametrize("away", ["restarted", "frozen"])
@pytest.mark.parametrize("carrier", ["layer", "notifications"])
async def test_they_come_again(
    serve: Serve,
    stack: Breakable,
    show: Show,
    tmp_path: Path,
    carrier: str,
    away: str,
) -> None:
    web = serve(role="web", complains=True)
    worker = serve(poll=NEVER, lease=2, complains=True)
    service: Service = stack.redis if carrier == "layer" else stack.postgres
    for server in (web, worker):
        if carrier == "notifications":
            server.env["REDIS_URL"] = ""
        server.start()
    assert await tells(web, tmp_path / "before")

    if away == "restarted":
        await asyncio.to_thread(service.restart)
    else:
        service.pause()
        await asyncio.sleep(6.0)  # longer than the lease, and than what publishing waits for
        service.resume()

    back = time.monotonic()
    for number in range(PATIENCE):
        if await tells(web, tmp_path / f"after {number}"):
            break
    else:
        raise AssertionError(worker.output)
    show(f"news again after {time.monotonic() - back:.1f} s")


async def tells(web: LiveServer, path: Path) -> bool:
    """Whether a run that one process enqueues is executed at once by the other."""
    enqueue(web, "mark", str(path))
    began = time.monotonic()
    while time.monotonic() - began < SOON:
        if marks(path):
            return True
        await asyncio.sleep(0.02)  # it is another process's event
    return False
