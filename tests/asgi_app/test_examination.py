"""A process that cannot do its work says so at start, and ends: it never hangs."""

import re
from collections.abc import Callable

import pytest

from tests.live import LiveServer, Server

pytestmark = pytest.mark.e2e

LACKS = (
    r"\(headway\.E010\) migrations of headway_tasks are not applied \(0001.* Run manage\.py migrate"
)


# uvicorn has a code of its own for a start that failed.
@pytest.mark.parametrize(
    ("server", "role", "code"),
    [("daphne", "all", 1), ("daphne", "web", 1), ("worker", "worker", 1), ("uvicorn", "all", 3)],
)
def test_a_missing_migration(
    live: Callable[..., LiveServer], server: Server, role: str, code: int
) -> None:
    process = live({"HEADWAY_ROLE": role}, server=server, migrate=False).start(wait=False)
    assert process.wait() == code
    assert re.search(LACKS, process.output), process.output
    assert "Traceback" not in process.output


def test_a_bad_setting(live: Callable[..., LiveServer]) -> None:
    process = live({"HEADWAY_AUTHZ": "no.such.rule"}).start(wait=False)
    assert process.wait() == 1
    assert "(headway.E102) HEADWAY['AUTHZ'] cannot be imported" in process.output
    assert "Traceback" not in process.output
