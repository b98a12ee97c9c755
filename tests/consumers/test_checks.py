"""System checks of the delivery."""

from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from channels.layers import BaseChannelLayer
from django.core.checks.registry import registry

from consumers import checks
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


class Groupless(BaseChannelLayer):
    pass


class Declared(BaseChannelLayer):
    extensions: ClassVar[list[str]] = ["flush"]


@pytest.mark.parametrize("kind", [Groupless, Declared])
def test_a_layer_without_groups(settings: Any, kind: type) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.{kind.__name__}"}}
    assert [message.id for message in check_layer()] == ["headway.E104"]


def test_a_layer_that_is_not_there(settings: Any) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "no.such.Layer"}}
    assert [message.id for message in check_layer()] == ["headway.E103"]


@pytest.mark.parametrize("role", ["all", "web", "worker"])
@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"])
@pytest.mark.parametrize("layer", ["layers.InMemoryChannelLayer", "redis"])
def test_a_layer_in_memory_with_several_processes(
    settings: Any, monkeypatch: pytest.MonkeyPatch, role: str, vendor: str, layer: str
) -> None:
    backend = f"channels.{layer}"
    if layer == "redis":
        backend = "channels_redis.pubsub.RedisPubSubChannelLayer"
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend}}
    settings.HEADWAY = {"ROLE": role}
    monkeypatch.setattr(checks, "connections", {"default": SimpleNamespace(vendor=vendor)})
    late = layer != "redis" and vendor == "postgresql" and role != "all"
    assert [message.id for message in check_layer()] == ["headway.W102"] * late


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
