"""A process whose database lacks a migration says so and ends."""

import re
from collections.abc import Callable

import pytest

from tests.live import LiveServer, Server

pytestmark = pytest.mark.e2e


# uvicorn has a code of its own for a start that failed.
@pytest.mark.parametrize(
    ("server", "role", "code"),
    [("daphne", "all", 1), ("daphne", "web", 1), ("worker", "worker", 1), ("uvicorn", "all", 3)],
)
def test_it_ends_with_a_message(
    live: Callable[..., LiveServer], server: Server, role: str, code: int
) -> None:
    process = live({"HEADWAY_ROLE": role}, server=server, migrate=False).start(wait=False)
    assert process.wait() == code
    assert re.search(
        r"migrations of headway_tasks are not applied \(0001_initial, .*\): run manage.py migrate",
        process.output,
    ), process.output
    assert "Traceback" not in process.output
