from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from asgi_app import databases
from asgi_app.databases import PATIENCE, POOL, database, sqlite
from tasks.conf import Conf


@pytest.fixture(autouse=True)
def psycopg(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it were installed: it is an extra."""
    monkeypatch.setattr(databases, "find_spec", lambda name: object())


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:////data/db.sqlite3", Path("/data/db.sqlite3")),
        ("sqlite:///db.sqlite3", Path.cwd() / "db.sqlite3"),
        ("sqlite:////with%20space/a%3Fb", Path("/with space/a?b")),
    ],
)
def test_sqlite(url: str, path: Path) -> None:
    assert database(url) == sqlite(path)


def test_sqlite_takes_the_write_lock_first() -> None:
    options = sqlite(Path("/data/db"))["OPTIONS"]

    assert options["transaction_mode"] == "IMMEDIATE"
    assert options["timeout"] == 20
    assert "journal_mode=WAL" in options["init_command"]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_postgres(scheme: str) -> None:
    found = database(f"{scheme}://me:p%40ss%2F@db.example:5433/shop?sslmode=require")

    assert {name: found[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")} == {
        "NAME": "shop",
        "USER": "me",
        "PASSWORD": "p@ss/",
        "HOST": "db.example",
        "PORT": "5433",
    }
    assert found["OPTIONS"] == PATIENCE | {"sslmode": "require", "pool": POOL}


def test_the_pool_may_be_bounded_or_left_out() -> None:
    bounded = database("postgres://h/shop?pool_max_size=7")
    without = database("postgres://h/shop?pool_max_size=0")

    assert bounded["OPTIONS"]["pool"] == POOL | {"max_size": 7}
    assert bounded["CONN_HEALTH_CHECKS"]
    assert without["OPTIONS"] == PATIENCE


def test_a_silent_network_is_given_up_within_a_lease() -> None:
    found = database("postgres://h/shop?connect_timeout=2")["OPTIONS"]

    assert found["connect_timeout"] == "2"
    idle, interval, count = (found[f"keepalives_{name}"] for name in ("idle", "interval", "count"))
    assert idle + interval * count <= Conf().lease
    assert found["tcp_user_timeout"] <= Conf().lease * 1000


@pytest.mark.parametrize(
    "url", ["postgres:///shop?host=/run/postgresql", "postgres://%2Frun%2Fpostgresql/shop"]
)
def test_postgres_over_a_unix_socket(url: str) -> None:
    found: dict[str, Any] = database(url)

    assert (found["HOST"], found["PORT"]) == ("/run/postgresql", "")


@pytest.mark.parametrize(
    "url",
    [
        "db.sqlite3",
        "mysql://me:secret@h/shop",
        "sqlite://db.sqlite3",
        "sqlite:///:memory:",
        "sqlite://",
        "sqlite:///db?mode=ro",
        "postgres://me:secret@h",
        "postgres://me:secret@h/",
        "postgres://me:secret@h/a/b",
        "postgres://me:secret@h:port/shop",
        "postgres://me:secret@h:99999/shop",
        "postgres://me:secret@[::1/shop",
        "postgres://me:secret@h/shop#x",
        "postgres://me:secret@h/shop?colour=red",
        "postgres://me:secret@h/shop?sslmode",
        "postgres://me:secret@h/shop?pool_max_size=many",
    ],
)
def test_what_is_not_understood_is_refused_by_name(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL ") as refused:
        database(url)

    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__  # no traceback of a parser, which shows the URL


def test_postgres_without_its_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "find_spec", lambda name: None)

    with pytest.raises(ImproperlyConfigured, match=r"django-headway\[postgres\]"):
        database("postgres://h/shop")
