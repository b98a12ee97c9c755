"""The HEADWAY setting is checked by key."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured

from tasks import checks
from tasks.checks import check_backend, check_database, check_settings
from tasks.conf import conf, documented, problems


def test_defaults_are_sound() -> None:
    assert problems({}) == []
    assert problems({key: default for key, default, _, _ in documented()}) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("LEASE", 0),
        ("LEASE", "10"),
        ("LEASE", True),
        ("CONCURRENCY", 0),
        ("CONCURRENCY", 1.5),
        ("ROLE", "both"),
        ("QUEUES", {"mail": 0}),
        ("QUEUES", {"": 1}),
        ("QUEUES", ["mail"]),
        ("AUTHZ", 7),
        ("TIMEOUT", -1),
        ("DATABASE", ""),
    ],
)
def test_a_bad_value_is_named(settings: Any, key: str, value: object) -> None:
    settings.HEADWAY = {key: value}
    with pytest.raises(ImproperlyConfigured, match=key):
        conf()
    (message,) = check_settings()
    assert key in message.msg
    assert repr(value) in message.msg


def test_an_unknown_key_is_named(settings: Any) -> None:
    settings.HEADWAY = {"LEASES": 10}
    (message,) = check_settings()
    assert "LEASES" in message.msg


def test_no_dict(settings: Any) -> None:
    settings.HEADWAY = ["LEASE"]
    (message,) = check_settings()
    assert "dict" in message.msg


def test_a_project_without_our_backend_is_told(settings: Any) -> None:
    assert check_backend() == []
    settings.TASKS = {"default": {"BACKEND": DUMMY}}
    (message,) = check_backend()
    assert "HeadwayBackend" in (message.hint or "")


def check_connection(
    monkeypatch: pytest.MonkeyPatch, vendor: str, **options: str
) -> list[CheckMessage]:
    connection = SimpleNamespace(vendor=vendor, settings_dict={"OPTIONS": options})
    monkeypatch.setattr(checks, "connections", {"default": connection})
    return check_database()


def test_sqlite_without_immediate_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_connection(monkeypatch, "sqlite", transaction_mode="IMMEDIATE") == []
    (message,) = check_connection(monkeypatch, "sqlite")
    assert "IMMEDIATE" in message.msg


def test_a_database_we_do_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_connection(monkeypatch, "postgresql") == []
    (message,) = check_connection(monkeypatch, "mysql")
    assert "mysql" in message.msg


def _dummy() -> str:
    import django

    package = "django.tasks" if django.VERSION >= (6, 0) else "django_tasks"
    return f"{package}.backends.dummy.DummyBackend"


DUMMY = _dummy()
