"""The providers of ``HEADWAY["AGENTS"]``, made from their settings."""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from tasks.agents.contract import Provider
from tasks.agents.schemas import EXTRA
from tasks.conf import conf

__all__ = ["provider_for"]

_DEFAULT = "tasks.agents.chat.ChatCompletions"


def provider_for(given: str | Provider) -> Provider:
    """The provider of this name; ``ImproperlyConfigured`` if there is none, or it is not sound."""
    return _made(given) if isinstance(given, str) else given


@cache
def _made(name: str) -> Provider:
    entries = conf().agents
    if name not in entries:
        known = ", ".join(entries) or "none"
        raise ImproperlyConfigured(f"HEADWAY['AGENTS'] has no {name!r}. Known: {known}.")
    try:
        return _make(entries[name])
    except ImproperlyConfigured as error:
        raise ImproperlyConfigured(f"HEADWAY['AGENTS'][{name!r}]: {error}") from None


def _make(entry: Mapping[str, Any]) -> Provider:
    options = {key.lower(): value for key, value in entry.items()}
    path = options.pop("backend", _DEFAULT)
    try:
        kind = import_string(path)
    except ImportError as error:
        hint = f": {EXTRA}" if error.name == "httpx2" else ""
        raise ImproperlyConfigured(f"BACKEND {path!r}: {error}{hint}") from None
    try:
        return cast(Provider, kind(**options))
    except TypeError as error:
        # Of its arguments: it names them, and not what they are.
        raise ImproperlyConfigured(f"{error}.") from None


def _forget(*, setting: str, **_: object) -> None:
    if setting == "HEADWAY":
        _made.cache_clear()


setting_changed.connect(_forget, dispatch_uid="headway.agents.providers")
