"""Django's commands in a project that has taken Headway in, from the wheel."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.e2e.ways import copy, django
from tests.live import LiveServer

# A project with settings of its own, which name SQLite.
pytestmark = [pytest.mark.e2e, pytest.mark.embedded]


@pytest.fixture
def project(tmp_path: Path) -> LiveServer:
    return copy(tmp_path)


def test_has_nothing_to_complain_about(project: LiveServer) -> None:
    output = django(project, "check", "--fail-level", "WARNING")
    assert "no issues" in output


def test_has_no_migration_to_make(project: LiveServer) -> None:
    """Of its own apps or ours: not with its key type, user model or Django version."""
    assert "No changes" in django(project, "makemigrations", "--check", "--dry-run")


def test_migrates_its_users_before_our_runs(project: LiveServer) -> None:
    order = re.findall(r"Applying (\w+)\.", django(project, "migrate", "headway_tasks"))
    first = order.index("headway_tasks")
    assert "people" in order[:first]
    assert set(order[first:]) == {"headway_tasks"}
    django(project, "migrate")
    with closing(sqlite3.connect(project.folder / "db.sqlite3")) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        references = database.execute("PRAGMA foreign_key_list(headway_run)").fetchall()
    # Its apps labelled "tasks" and "consumers", beside ours.
    assert tables >= {"headway_run", "headway_event", "tasks_run", "consumers_reader"}
    assert [reference[2] for reference in references] == ["people_person"]


def test_develops_with_runserver(project: LiveServer) -> None:
    """In DEBUG it serves the browser client too, under the autoreloader."""
    django(project, "migrate", "--verbosity", "0")
    project.server = "runserver"
    project.env["SHOP_DEBUG"] = "1"
    with project:
        project.start()
        client = httpx.get(f"{project.url}/assets/headway/headway.js")
        ready = httpx.get(f"{project.url}/background/health/ready")
    assert (client.status_code, ready.status_code) == (200, 200)
    assert client.headers["Content-Type"].startswith("text/javascript")
    assert "export function watch" in client.text
