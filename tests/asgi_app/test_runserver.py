"""daphne's ``runserver``: the reactor in a thread of the autoreloader, which exits to reload."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.asgi_app.rows import Row, row
from tests.asgi_app.stopping import SERVICE, enqueue, stop
from tests.live import LiveServer

pytestmark = pytest.mark.e2e

EDITED = "edited"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app whose module can be edited without touching the checkout."""
    package = tmp_path / "apps" / EDITED
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    return package


def edit(server: LiveServer, path: Path, seen: int) -> None:
    """Edit a file until the reloader has noticed: an edit before its first look is none to it."""
    for _ in range(10):
        os.utime(path)
        with suppress(AssertionError):
            server.wait_line("changed, reloading", after=seen, timeout=2.0)
            return
    raise AssertionError(server.output)


def test_a_reload_gives_runs_back_at_once(live: Callable[..., LiveServer], app: Path) -> None:
    env = {
        **SERVICE,
        "DEBUG": "1",
        "HEADWAY_APPS": f"{SERVICE['HEADWAY_APPS']},{EDITED}",
        "HEADWAY_GRACE": "30",
        "HEADWAY_LEASE": "60",
        "PYTHONPATH": str(app.parent),
    }
    server = live(env, server="runserver").start()
    run_id = enqueue(server, "rest", 60)
    assert row(server, run_id) == Row("RUNNING", 1)

    seen = len(server.lines)
    edit(server, app / "__init__.py", seen)

    # Its lease is far from over: only a run that was given back begins again.
    server.wait_line("task begun", after=seen)
    assert row(server, run_id) == Row("RUNNING", 1)
    assert "Traceback" not in server.output


def test_without_the_reloader_it_stops_like_daphne(live: Callable[..., LiveServer]) -> None:
    env = {**SERVICE, "HEADWAY_GRACE": "1"}
    server = live(env, server="runserver", arguments=("--noreload",)).start()
    run_id = enqueue(server, "rest", 60)

    stop(server, 1)

    assert row(server, run_id) == Row("READY", 0)
