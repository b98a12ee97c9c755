"""The HEADWAY setting is checked by key."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tasks.checks import check_settings
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
        ("APPEND", 0.6),
        ("APPEND", -0.1),
        ("APPEND", False),
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


@pytest.mark.parametrize("value", ["specs", [7], {"specs": 1}, None])
def test_folders_are_a_list(settings: Any, value: object) -> None:
    settings.HEADWAY = {"SPECS": value}
    with pytest.raises(ImproperlyConfigured, match="SPECS"):
        conf()
