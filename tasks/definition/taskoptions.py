"""The options of a task: which there are, what they must be, and what holds where none is given.

What ``using()`` is given outranks the decorator, and that outranks ``HEADWAY["DEFAULT_TASK"]``.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings

from tasks.definition import options
from tasks.definition.options import Execution
from tasks.exceptions import InvalidOption

if TYPE_CHECKING:
    from tasks.handles import Handle

__all__ = [
    "Backoff",
    "Options",
    "Overrides",
    "check_names",
    "complaints",
    "default_problems",
    "defaults",
    "known_defaults",
    "known_overrides",
]

#: (what an attempt raised, the run) -> seconds until the next attempt; None: as the settings say.
Backoff = Callable[
    [BaseException, "Handle"],
    float | timedelta | Awaitable[float | timedelta | None] | None,
]


class _Shared(Execution, total=False):
    priority: int | None
    queue_name: str | None
    backend: str | None
    timeout: float | None
    max_attempts: int | None
    metadata: Mapping[str, Any] | None


class Options(_Shared, total=False):
    """What ``@task(…)`` and ``HEADWAY["DEFAULT_TASK"]`` take. None: not given."""

    backoff: Backoff | str | None


class Overrides(_Shared, total=False):
    """What ``using(…)`` takes. None: as it was."""

    run_after: datetime | timedelta | None
    user: Any
    unique_key: str | None


class _Rule(NamedTuple):
    wants: str
    holds: Callable[[Any], bool]


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < inf


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= most


_RULES = {
    "priority": _Rule(
        "a whole number from -100 to 100",
        lambda value: value == 0 or (_is_int(value) and -100 <= value <= 100),
    ),
    "queue_name": _Rule("a str of up to 100 characters", lambda value: _is_text(value, 100)),
    "backend": _Rule("an alias in TASKS", lambda value: isinstance(value, str)),
    "timeout": _Rule("a number of seconds above 0", _is_seconds),
    "max_attempts": _Rule(
        "a whole number from 1", lambda value: _is_int(value) and 0 < value < 2**31
    ),
    "backoff": _Rule(
        "a function, or the dotted path of one",
        lambda value: callable(value) or (isinstance(value, str) and "." in value),
    ),
    "metadata": _Rule("a dict", lambda value: isinstance(value, Mapping)),
    "unique_key": _Rule("a str of up to 255 characters", lambda value: _is_text(value, 255)),
    "description": _Rule("a str", lambda value: isinstance(value, str)),
}


def complaints(value_of: Callable[[str], Any]) -> list[str]:
    """What is wrong with options, one sentence each; *value_of* gives None for none."""
    return [
        f"{name} must be {rule.wants}, not {value!r}."
        for name, rule in _RULES.items()
        if (value := value_of(name)) is not None and not rule.holds(value)
    ]


def known_defaults() -> frozenset[str]:
    """Names of the options that may have a default, and be given to ``@task``."""
    return Options.__optional_keys__


def known_overrides() -> frozenset[str]:
    """Names of what ``using()`` takes: a run knows its task by name, and has its backoff there."""
    return Overrides.__optional_keys__


def check_names(where: str, given: Iterable[str], known: Collection[str]) -> None:
    """:class:`InvalidOption` for the first of *given* that is not *known*."""
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise InvalidOption(
                f"{where} takes no option {name!r}.{hint} Known: {', '.join(sorted(known))}."
            )


def default_problems(given: object) -> list[str]:
    """What is wrong with ``HEADWAY["DEFAULT_TASK"]``, one sentence each."""
    if not isinstance(given, Mapping):
        return []  # said by the setting's own rule
    known = known_defaults()
    unknown = [
        f"HEADWAY['DEFAULT_TASK'][{name!r}] is no option of a task's."
        f" Known: {', '.join(sorted(known))}."
        for name in given
        if name not in known
    ]
    wrong = complaints(given.get)
    try:
        options.Options(**{name: given.get(name) for name in options.NAMES}).check()
    except ValueError as error:
        wrong.append(str(error))
    return unknown + [f"HEADWAY['DEFAULT_TASK']: {text}" for text in wrong]


def defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """``HEADWAY["DEFAULT_TASK"]``; empty while that is wrong, which a system check says.

    Tasks are made while Django starts: an exception here would come before the checks.
    Headway's own have none: they are executed as they must be.
    """
    if function.__module__.startswith("tasks."):
        return {}
    headway = getattr(settings, "HEADWAY", {})
    given = headway.get("DEFAULT_TASK", {}) if isinstance(headway, Mapping) else {}
    if not isinstance(given, Mapping) or default_problems(given):
        return {}
    return {name: value for name, value in given.items() if value is not None}
