"""What a process does and serves by ``HEADWAY_ROLE``, under a real daphne."""

from collections.abc import Callable

import httpx
import pytest

from tests.asgi_app.rows import Row, row
from tests.asgi_app.stopping import SERVICE
from tests.live import LiveServer

pytestmark = pytest.mark.e2e


def test_one_serves_and_another_works(live: Callable[..., LiveServer]) -> None:
    web = live({**SERVICE, "HEADWAY_ROLE": "web"}).start()
    worker = live({**SERVICE, "HEADWAY_ROLE": "worker"}).start()

    run_id = httpx.get(f"{web.url}/enqueue/rest/0/").text
    events = httpx.get(f"{web.url}/tasks/{run_id}/events/", timeout=20)

    # The stream ends with the run, which another process has executed.
    assert "event: finished" in events.text
    assert "task ended" in worker.lines
    assert "task begun" not in web.lines
    assert row(web, run_id) == Row("SUCCESSFUL", 1)
    assert httpx.get(f"{web.url}/health/ready").status_code == 200
    assert httpx.get(f"{worker.url}/health/ready").status_code == 200
    assert httpx.get(f"{worker.url}/tasks/{run_id}/").status_code == 404
