"""System checks: what would keep events from their watchers is named at start."""

from collections.abc import Iterator
from typing import Any

from channels.layers import BaseChannelLayer, InMemoryChannelLayer
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
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
    backend = layer.get("BACKEND", "")
    try:
        kind = import_string(backend)
    except ImportError as error:
        return [
            Error(
                f"CHANNEL_LAYERS[{alias!r}] cannot be imported: {error}",
                hint="channels_redis.pubsub.RedisPubSubChannelLayer is in channels-redis.",
                id="headway.E103",
            )
        ]
    return [*_of_kind(alias, kind), *_of_backend(backend)]


def _of_kind(alias: str, kind: Any) -> Iterator[CheckMessage]:
    if not _has_groups(kind):
        yield Error(
            f"CHANNEL_LAYERS[{alias!r}] has no groups, by which all watchers of a run are told.",
            hint="Use channels_redis.pubsub.RedisPubSubChannelLayer.",
            id="headway.E104",
        )
    if isinstance(kind, type) and issubclass(kind, InMemoryChannelLayer) and _is_one_of_several():
        yield Warning(
            f"HEADWAY['ROLE'] is {conf().role!r}, and the Channels layer is in memory: events of"
            " other processes reach watchers up to HEADWAY['RECONCILE'] seconds late.",
            hint="Let all processes use one Redis: REDIS_URL, or CHANNEL_LAYERS.",
            id="headway.W102",
        )


def _has_groups(kind: Any) -> bool:
    extensions = getattr(kind, "extensions", None)
    if extensions is not None:
        return "groups" in extensions
    # That of channels_redis.pubsub is made by its instances, and stands for another class.
    is_plain = isinstance(kind, type) and issubclass(kind, BaseChannelLayer)
    return not is_plain or kind.group_send is not BaseChannelLayer.group_send


def _is_one_of_several() -> bool:
    """On SQLite, other processes are noticed by the file."""
    alias = conf().database
    known = alias in settings.DATABASES and connections[alias].vendor
    return conf().role != "all" and known != "sqlite"


def _of_backend(backend: str) -> Iterator[CheckMessage]:
    if backend == "channels_redis.core.RedisChannelLayer":
        yield Warning(
            "channels_redis.core drops what exceeds 100 messages and costs four round "
            "trips for each; events then come from the database, up to a second late.",
            hint="Use channels_redis.pubsub.RedisPubSubChannelLayer.",
            id="headway.W101",
        )


def check_authz(**_: Any) -> list[CheckMessage]:
    """AUTHZ can be imported and called; if not, it would deny everybody everything."""
    rule = _setting("authz")
    try:
        found = import_string(rule) if isinstance(rule, str) else rule
    except ImportError as error:
        return [_no_rule(f"HEADWAY['AUTHZ'] cannot be imported: {error}")]
    if found is None or callable(found):
        return []
    return [_no_rule(f"HEADWAY['AUTHZ'] names {rule}, which is not callable.")]


def _no_rule(message: str) -> CheckMessage:
    hint = "Name a function (user, run, action) -> bool by its dotted path."
    return Error(message, hint=hint, id="headway.E102")


def _setting(name: str) -> Any:
    try:
        return getattr(conf(), name)
    except ImproperlyConfigured:
        return None  # headway.E001 tells
