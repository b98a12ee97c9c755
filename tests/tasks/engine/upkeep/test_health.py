"""``manage.py headway_health``: what it looks at, and that it always comes back."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import F

from tasks.engine import store
from tasks.engine.claims.presence import this_host
from tasks.engine.upkeep import health
from tasks.models import Worker
from tests.layers import stand_in
from tests.tasks.engine.claims.test_presence import info

pytestmark = pytest.mark.django_db(transaction=True)


def look(*arguments: str) -> tuple[int, str]:
    """Code and output of the command."""
    out, code = StringIO(), 0
    try:
        call_command("headway_health", *arguments, stdout=out)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, out.getvalue()


def test_all_is_well() -> None:
    assert look() == (0, "database: ok\nmigrations: ok\nlayer: ok\n")


def test_as_json() -> None:
    code, said = look("--json", "--worker")
    found = json.loads(said)
    assert (code, found["ok"]) == (1, False)
    assert found["checks"]["database"] == {"ok": True, "message": ""}
    assert not found["checks"]["worker"]["ok"]


def test_a_worker_of_this_host_lives() -> None:
    store.show_up(info("elsewhere", host="another"), False)
    assert look("--worker")[0] == 1
    store.show_up(info("here", host=this_host()), False)
    assert look("--worker")[0] == 0
    Worker.objects.update(seen_at=F("seen_at") - timedelta(seconds=15))
    code, said = look("--worker")
    assert code == 1
    assert "seen in the last 10 s" in said


def test_a_migration_is_missing() -> None:
    recorder = MigrationRecorder(connections["default"])
    recorder.record_unapplied("headway_tasks", "0002_retention_and_workers")
    try:
        code, said = look()
    finally:
        recorder.record_applied("headway_tasks", "0002_retention_and_workers")
    assert code == 1
    assert "migrations: not applied: 0002_retention_and_workers; run manage.py migrate" in said


class Groupless(InMemoryChannelLayer):  # type: ignore[misc,unused-ignore]
    extensions = ["flush"]  # noqa: RUF012 - so it is in Channels


class Deaf(InMemoryChannelLayer):  # type: ignore[misc,unused-ignore]
    async def group_send(self, group: str, message: Any) -> None:
        pass


@pytest.fixture
def layers() -> Iterator[Any]:
    ends: list[Callable[[], None]] = []
    yield lambda layer: ends.append(stand_in(layer))
    for restore in ends:
        restore()


def test_a_layer_without_groups(layers: Any) -> None:
    layers(Groupless())
    code, said = look()
    assert code == 1
    assert "layer: CHANNEL_LAYERS['default'] has no groups" in said


def test_a_layer_that_delivers_nothing(layers: Any) -> None:
    layers(Deaf())
    assert look("--timeout", "0.3") == (
        1,
        "database: ok\nmigrations: ok\nlayer: no answer in 0.3 s\n",
    )


def test_a_database_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> bool:
        raise OSError("no route\nto host")

    monkeypatch.setattr(store, "answers", away)
    code, said = look()
    assert code == 1
    assert said.splitlines()[:2] == [
        "database: OSError: no route to host",
        "migrations: not looked at",
    ]


def test_the_timeout_is_a_number() -> None:
    with pytest.raises(CommandError, match="--timeout"):
        look("--timeout", "0")


@pytest.mark.e2e
def test_a_database_that_hangs_is_not_waited_for(live: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never says a word
        port = silent.getsockname()[1]
        env = {"DATABASE_URL": f"postgres://u:p@127.0.0.1:{port}/d?connect_timeout=100"}
        began = time.monotonic()
        with pytest.raises(AssertionError, match=r"database: no answer in 1 s") as failure:
            live(env).manage("headway_health", "--timeout", "1")
        assert time.monotonic() - began < 8  # of which Python takes its part to start
    assert "migrations: not looked at" in str(failure.value)


def test_every_check_has_its_turn() -> None:
    names = [finding.name for finding in health.examine(5, worker=True)]
    assert names == ["database", "migrations", "worker", "layer"]
