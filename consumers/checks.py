"""System checks: what would keep events from their watchers is named at start."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from tasks.conf import conf

__all__ = ["check_authz", "check_layer"]


def check_layer(**_: Any) -> list[CheckMessage]:
    """The Channels layer exists, and is one that carries events well."""
    alias = _setting("channel_layer")
    if alias is None:
        return []
    layer = getattr(settings, "CHANNEL_LAYERS", {}).get(alias)
    if layer is None:
        return [
            Error(
                f"CHANNEL_LAYERS has no {alias!r}, over which Headway sends events.",
                hint="channels.layers.InMemoryChannelLayer serves one process.",
                id="headway.E101",
            )
        ]
    if layer.get("BACKEND") == "channels_redis.core.RedisChannelLayer":
        return [
            Warning(
                "channels_redis.core drops what exceeds 100 messages and costs four round "
                "trips for each; events then come from the database, up to a second late.",
                hint="Use channels_redis.pubsub.RedisPubSubChannelLayer.",
                id="headway.W101",
            )
        ]
    return []


def check_authz(**_: Any) -> list[CheckMessage]:
    """AUTHZ can be imported and called; if not, it would deny everybody everything."""
    rule = _setting("authz")
    try:
        found = import_string(rule) if isinstance(rule, str) else rule
    except ImportError as error:
        return [Error(f"HEADWAY['AUTHZ'] cannot be imported: {error}", id="headway.E102")]
    if found is None or callable(found):
        return []
    return [Error(f"HEADWAY['AUTHZ'] names {rule}, which is not callable.", id="headway.E102")]


def _setting(name: str) -> Any:
    try:
        return getattr(conf(), name)
    except ImproperlyConfigured:
        return None  # headway.E001 tells
