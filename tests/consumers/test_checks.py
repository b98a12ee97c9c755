"""System checks of the delivery."""

from typing import Any

import pytest
from django.core.checks.registry import registry

from consumers.checks import check_authz, check_layer


def test_the_suites_settings_are_fine() -> None:
    assert check_layer() == []
    assert check_authz() == []


def test_they_are_registered() -> None:
    assert {check_layer, check_authz} <= registry.registered_checks


def test_a_missing_layer_is_named(settings: Any) -> None:
    settings.HEADWAY = {"CHANNEL_LAYER": "events"}
    [message] = check_layer()
    assert "'events'" in message.msg


def test_the_core_layer_is_warned_of(settings: Any) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer"}}
    assert [message.id for message in check_layer()] == ["headway.W101"]


@pytest.mark.parametrize("rule", ["no.such.rule", "os.missing", "os.sep"])
def test_a_rule_that_cannot_be_called(settings: Any, rule: str) -> None:
    settings.HEADWAY = {"AUTHZ": rule}
    assert [message.id for message in check_authz()] == ["headway.E102"]


@pytest.mark.parametrize("rule", [None, "os.getcwd", lambda *_: True])
def test_a_rule_that_can(settings: Any, rule: Any) -> None:
    settings.HEADWAY = {"AUTHZ": rule}
    assert check_authz() == []


def test_bad_settings_are_told_once_and_elsewhere(settings: Any) -> None:
    settings.HEADWAY = {"NONSENSE": 1}
    assert check_layer() == []
    assert check_authz() == []
