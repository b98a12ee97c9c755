"""Which list of runs a client asks for, and how far it has it."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

from django.http import QueryDict

from consumers.refusal import Refusal
from consumers.streams.cursor import LARGEST
from tasks.codec import decode, encode
from tasks.definition import registry
from tasks.engine.store import Horizon, Wanted
from tasks.exceptions import UnknownTask
from tasks.states import RunStatus

__all__ = ["LIMIT", "Place", "limit_in", "wanted_in", "wanted_of"]

LIMIT = 100  #: runs with which a list begins, if its client does not say
_MOST = 500
_VALUES = 20  # of each kind
_META = "meta."
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)
_OPEN = 100  # transactions that a cursor names; of more, it gives only where they begin
_CURSOR = re.compile(r"[A-Za-z0-9_-]{8}(\.[0-9]{1,19}){1,200}", re.ASCII)


def wanted_in(query: QueryDict) -> Wanted:
    """The list that a query string asks for: ``task``, ``queue``, ``status``, ``meta.<name>``."""
    given = {name: query.getlist(name) for name in query}
    meta = {
        name.removeprefix(_META): values for name, values in given.items() if name.startswith(_META)
    }
    return _wanted(given, {name: _readings(values) for name, values in meta.items()})


def wanted_of(command: Mapping[str, Any]) -> Wanted:
    """The list that a WebSocket's command asks for: each a value or a list; ``meta`` an object."""
    meta = command.get("meta", {})
    if not isinstance(meta, dict):
        raise _bad("meta must be an object.")
    return _wanted(command, {name: _scalars(value) for name, value in meta.items()})


def limit_in(given: object) -> int:
    """With how many runs a list begins."""
    if given is None:
        return LIMIT
    if isinstance(given, str) and given.isdecimal() and len(given) < 5:
        given = int(given)
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= _MOST:
        return given
    raise _bad(f"limit must be a number from 0 to {_MOST}.")


class Place:
    """Writes and reads how far a list is: a mark of the list, then the horizon.

    To clients it is opaque. The mark keeps a cursor from being used for another list, which
    would lack runs for ever.
    """

    def __init__(self, wanted: Wanted) -> None:
        digest = blake2b(repr(wanted).encode(), digest_size=6)
        self._mark = urlsafe_b64encode(digest.digest()).decode()

    def text(self, horizon: Horizon) -> str:
        if len(horizon.open) > _OPEN:
            horizon = Horizon(min(horizon.open))
        return ".".join([self._mark, *map(str, (horizon.next, *horizon.open))])

    def parse(self, text: object) -> Horizon | None:
        """None: from the beginning."""
        if text is None:
            return None
        if isinstance(text, str) and _CURSOR.fullmatch(text):
            mark, *numbers = text.split(".")
            found = Horizon(int(numbers[0]), tuple(map(int, numbers[1:])))
            if mark == self._mark and max(found.next, *found.open, 0) <= LARGEST:
                return found
        raise Refusal(400, "bad_cursor", "Continue after the id of an event of this very list.")


def _wanted(given: Mapping[str, Any], meta: Mapping[str, tuple[Any, ...]]) -> Wanted:
    statuses = _texts(given, "status")
    if unknown := set(statuses) - set(RunStatus):
        raise _bad(f"{min(unknown)!r} is no status: {', '.join(RunStatus)} are.")
    for name in meta:
        if _NAME.fullmatch(name) is None:
            raise _bad("A name in metadata must be letters, digits, '-' and '_', 64 at most.")
    return Wanted(
        tasks=tuple(sorted(map(_path, _texts(given, "task")))),
        queues=_texts(given, "queue"),
        statuses=statuses,
        metadata=tuple(sorted(meta.items())),
    )


def _texts(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = given.get(name, [])
    values = [values] if isinstance(values, str) else values
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise _bad(f"{name} must be a text, or a list of texts.")
    return _few(sorted(set(values)))


def _few(values: Iterable[Any]) -> tuple[Any, ...]:
    found = tuple(values)
    if len(found) > _VALUES:
        raise _bad(f"A list takes {_VALUES} values of each kind.")
    if any(isinstance(value, str) and "\0" in value for value in found):
        raise _bad("No text has a null character.")
    return found


def _path(name: str) -> str:
    """A task's module path, by which runs know it."""
    try:
        return registry.find(name).module_path
    except UnknownTask:
        return name


def _readings(texts: Iterable[str]) -> tuple[Any, ...]:
    """What a text may stand for in JSON: itself, and the number or boolean it looks like."""
    found: list[Any] = []
    for text in texts:
        found.append(text)
        try:
            value = decode(text)
            if isinstance(value, int | float) and encode(value) == text:
                found.append(value)
        except (ValueError, RecursionError, TypeError):
            pass
    return _few(found)


def _scalars(value: object) -> tuple[Any, ...]:
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str | int | float) for item in values):
        raise _bad("A value in meta must be a text, a number or a boolean, or a list of them.")
    return _few(values)


def _bad(message: str) -> Refusal:
    return Refusal(400, "bad_request", message)
