"""Environment variables as typed values; what is wrong with one is said by its name.

``settings.py`` hands the variables over: nothing here reads the environment itself.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from tasks.codec import decode
from tasks.conf import documented
from tasks.settings import queues

__all__ = ["Environment"]

_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"0", "false", "no", "off"})

# Ours beside the keys of HEADWAY.
_OWN = frozenset({"HEADWAY_APPS", "HEADWAY_DATA"})
# What Kubernetes sets in every pod for a Service called "headway".
_KUBERNETES = re.compile(r"HEADWAY_(SERVICE_|PORT($|_))")


class Environment:
    """Typed access to *variables*; one that is set to nothing counts as not set."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = {name: text.strip() for name, text in variables.items()}

    def text(self, name: str, default: str = "") -> str:
        return self._variables.get(name) or default

    def words(self, name: str, default: str = "") -> list[str]:
        """A comma-separated list, in order, without empty and repeated entries."""
        words = (word.strip() for word in self.text(name, default).split(","))
        return list(dict.fromkeys(filter(None, words)))

    def flag(self, name: str, default: bool = False) -> bool:
        word = self.text(name).lower()
        if not word:
            return default
        if word in _ON | _OFF:
            return word in _ON
        raise ImproperlyConfigured(
            f"{name} must be one of {', '.join(sorted(_ON | _OFF))}, not {word!r}."
        )

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        word = self.text(name, default)
        if word not in choices:
            raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {word!r}.")
        return word

    def apps(self, name: str) -> list[str]:
        """Importable apps: packages, or dotted paths of AppConfig classes."""
        apps = self.words(name)
        for app in apps:
            if not _importable(app) and not _importable(app.rpartition(".")[0]):
                raise ImproperlyConfigured(f"{name} names {app!r}, which cannot be imported.")
        return apps

    def headway(self) -> dict[str, Any]:
        """The ``HEADWAY`` setting from ``HEADWAY_<KEY>``.

        A number is read as one, ``HEADWAY_QUEUES`` as :mod:`tasks.settings.queues` says,
        ``HEADWAY_RETENTION`` and ``HEADWAY_AGENTS`` as JSON, ``HEADWAY_CORS_ORIGINS`` and
        ``HEADWAY_SPECS`` with commas between, ``HEADWAY_REALTIME`` as the ``TRANSPORT``, and
        anything else as it stands, unknown names too: Headway's own check then names every bad
        key and value at once.
        """
        numeric = [key for key, default, _, _ in documented() if _is_numeric(default)]
        forms: dict[str, Callable[[str], Any]] = dict.fromkeys(numeric, _number) | _FORMS
        return {key: forms.get(key, str)(text) for key, text in self._headway_variables()}

    def _headway_variables(self) -> Iterator[tuple[str, str]]:
        for name, text in self._variables.items():
            ours = name.startswith("HEADWAY_") and name not in _OWN
            if ours and text and not _KUBERNETES.match(name):
                yield name.removeprefix("HEADWAY_"), text


def _is_numeric(default: object) -> bool:
    # TIMEOUT and AUTHZ have no default; a dotted path is never read as a number.
    return default is None or isinstance(default, int | float)


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        # "inf" and "nan" are numbers to Python, but no durations and no counts.
        return number if math.isfinite(number) else text
    return text


def _queues(text: str) -> dict[str, int | None]:
    try:
        return queues.parse(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"HEADWAY_QUEUES: {error}.") from None


def _json(text: str) -> Any:
    try:
        return decode(text)
    except ValueError:
        return text  # no value of its key: the check that names it says what is


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _transport(text: str) -> Any:
    return {"TRANSPORT": text}


_FORMS: dict[str, Callable[[str], Any]] = {
    "QUEUES": _queues,
    "RETENTION": _json,
    "AGENTS": _json,
    "CORS_ORIGINS": _words,
    "SPECS": _words,
    "REALTIME": _transport,
}


def _importable(name: str) -> bool:
    try:
        return bool(name) and find_spec(name) is not None
    except (ImportError, ValueError):
        return False
