"""Values of a provider's settings; a wrong one is named, and not shown: it may be a secret."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from tasks.codec import encode
from tasks.exceptions import InvalidValue

__all__ = ["address", "choice", "count", "mapping", "seconds", "text", "word"]


def address(name: str, value: object, *, user: bool = False) -> str:
    """An address without its last slash, to which a path can be added; with a *user*, or not."""
    if isinstance(value, str):
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            parts = urlsplit("")
        # What stands beside host and path would be in every error and log line.
        alone = not (parts.query or parts.fragment or (not user and "@" in parts.netloc))
        if parts.scheme in ("http", "https") and parts.hostname and alone:
            return value.rstrip("/")
    raise _wrong(name, "an http or https address without a user, a query or a fragment")


def text(name: str, value: object) -> str:
    if isinstance(value, str) and value and value.isprintable():
        return value
    raise _wrong(name, "a str, in one line")


def word(name: str, value: object) -> str:
    """What goes into a header; may be empty."""
    if isinstance(value, str) and value.isascii() and (not value or value.isprintable()):
        return value
    raise _wrong(name, "a str of printable ASCII")


def seconds(name: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6:
        return float(value)
    raise _wrong(name, "a number of seconds above 0")


def count(name: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise _wrong(name, "a whole number of at least 0")


def choice(name: str, value: object, choices: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in choices:
        return value
    raise _wrong(name, "one of " + ", ".join(choices))


def mapping(name: str, value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        with suppress(InvalidValue):
            encode(dict(value))
            return dict(value)
    raise _wrong(name, "a dict that JSON can carry")


def _wrong(name: str, wants: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} must be {wants}.")
