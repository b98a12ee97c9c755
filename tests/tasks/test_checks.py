"""A bad configuration is named by the checks: what it is, and what to do."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import django
import pytest
from django.core.checks import CheckMessage, run_checks
from django.core.management import call_command
from django.db import OperationalError, connections
from django.db.backends.postgresql import psycopg_any
from django.db.migrations.recorder import MigrationRecorder

from tasks import checks
from tasks.checks import TAG, check_backend, check_database, check_settings
from tasks.engine import store
from tasks.engine.process.children import CannotStart
from tasks.engine.upkeep import examination
from tasks.engine.upkeep.examination import check_tables
from tasks.surroundings import mounts
from tasks.surroundings.mounts import file_system
from tasks.testing import running_supervisor
from tests.tasks.engine.claims.test_presence import info


def ids(messages: list[CheckMessage]) -> list[str | None]:
    """Their ids. Each says what to do."""
    assert all(message.hint for message in messages)
    return [message.id for message in messages]


def test_the_suites_settings_are_fine() -> None:
    assert run_checks(tags=[TAG]) == []


def test_a_wrong_setting(settings: Any) -> None:
    settings.HEADWAY = {"LEASE": 0, "NONSENSE": 1}
    assert ids(check_settings()) == ["headway.E001"] * 2
    assert check_database() == []
    assert check_tables(["default"]) == []


def test_an_alias_that_there_is_not(settings: Any) -> None:
    settings.HEADWAY = {"DATABASE": "runs"}
    assert ids(check_database()) == ["headway.E006"]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Gives the ids for a database of this vendor and entry."""

    def look(vendor: str, name: str = "/x/db.sqlite3", **options: str) -> list[str | None]:
        entry = {"OPTIONS": options, "NAME": name}
        connection = SimpleNamespace(vendor=vendor, settings_dict=entry)
        monkeypatch.setattr(checks, "connections", {"default": connection})
        return ids(check_database())

    return look


@pytest.mark.parametrize("vendor", ["mysql", "oracle"])
def test_a_database_that_cannot_hold_runs(found: Any, vendor: str) -> None:
    assert found(vendor) == ["headway.E003"]


def test_the_old_psycopg(found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found("postgresql") == []
    monkeypatch.setattr(psycopg_any, "is_psycopg3", False)
    assert found("postgresql") == ["headway.E004"]


def test_an_old_sqlite(found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    assert found("sqlite", transaction_mode="IMMEDIATE") == ["headway.E005"]


def test_a_sqlite_that_does_not_queue_up(found: Any) -> None:
    assert found("sqlite") == ["headway.W001"]
    assert found("sqlite", transaction_mode="IMMEDIATE") == []


MOUNTS = r"""rootfs / rootfs rw 0 0
/dev/vda1 / ext4 rw 0 0
server:/srv /srv/shared nfs4 rw 0 0
/dev/vdb /srv/shared/local ext4 rw 0 0
//nas/data /srv/with\040space cifs rw 0 0
/dev/vdc /over ext4 rw 0 0
me@host: /over fuse.sshfs rw 0 0
"""


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = tmp_path / "mounts"
    table.write_text(MOUNTS)
    monkeypatch.setattr(mounts, "_MOUNTS", table)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/db.sqlite3", "ext4"),
        ("/srv/shared/db.sqlite3", "nfs4"),
        ("/srv/sharedbutnot/db.sqlite3", "ext4"),
        ("/srv/shared/local/db.sqlite3", "ext4"),
        ("/srv/with space/db.sqlite3", "cifs"),
        ("/over/db.sqlite3", "fuse.sshfs"),
    ],
)
def test_what_a_file_is_on(mounted: None, found: Any, path: str, kind: str) -> None:
    assert file_system(path) == kind
    expected = [] if kind == "ext4" else ["headway.E007"]
    assert found("sqlite", path, transaction_mode="IMMEDIATE") == expected


def test_where_nothing_tells_what_a_file_is_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(mounts, "_MOUNTS", tmp_path / "none")
    assert file_system("/var/db.sqlite3") == ""


def test_no_backend_of_ours(settings: Any) -> None:
    assert check_backend() == []
    package = "django.tasks" if django.VERSION >= (6, 0) else "django_tasks"
    settings.TASKS = {"default": {"BACKEND": f"{package}.backends.dummy.DummyBackend"}}
    assert ids(check_backend()) == ["headway.E002"]


database = pytest.mark.django_db(transaction=True)


@pytest.fixture
def unapplied(transactional_db: None) -> Iterator[None]:
    recorder = MigrationRecorder(connections["default"])
    recorder.record_unapplied("headway_tasks", "0002_retention_and_workers")
    yield
    recorder.record_applied("headway_tasks", "0002_retention_and_workers")


def test_a_missing_migration(unapplied: None) -> None:
    [message] = check_tables(["default"])
    assert ids([message]) == ["headway.E010"]
    assert "0002_retention_and_workers" in message.msg


async def test_a_process_does_not_begin_on_old_tables(unapplied: None) -> None:
    with pytest.raises(CannotStart, match=r"0002_retention.*Run manage\.py migrate"):
        async with running_supervisor():
            pass


@database
async def test_a_process_does_not_begin_with_a_bad_setting(settings: Any) -> None:
    settings.TASKS = {}
    with pytest.raises(CannotStart, match=r"\(headway\.E002\) No backend .* TASKS = "):
        async with running_supervisor():
            pass


@database
async def test_a_silenced_check_holds_nobody_up(settings: Any) -> None:
    settings.TASKS = {}
    settings.SILENCED_SYSTEM_CHECKS = ["headway.E002"]
    async with running_supervisor():
        pass


@database
def test_without_a_database_named_nothing_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> list[str]:
        raise AssertionError("looked")

    monkeypatch.setattr(store, "unapplied", never)
    call_command("check", "--deploy", fail_level="CRITICAL")
    assert check_tables(None) == []
    assert check_tables(["another"]) == []


@database
def test_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> list[str]:
        raise OperationalError("could not translate host name")

    monkeypatch.setattr(store, "unapplied", away)
    [message] = check_tables(["default"])
    assert ids([message]) == ["headway.E011"]
    assert "could not translate host name" in message.msg


@database
def test_others_whose_events_would_come_late(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    in_memory = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    settings.CHANNEL_LAYERS = in_memory
    store.show_up(info("host:7:abc"), draining=False)
    examination._look_around()
    assert ("host:7:abc executes" in caplog.text) == (connections["default"].vendor != "sqlite")
    caplog.clear()
    vendors = {"default": SimpleNamespace(vendor="postgresql")}
    monkeypatch.setattr(examination, "connections", vendors)
    examination._look_around()
    assert "(headway.W010)" in caplog.text
    assert "host:7:abc executes" in caplog.text
