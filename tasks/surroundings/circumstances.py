"""The circumstances of an enqueueing: kept with the run, and so again where it is executed.

They are the request id, the language, the time zone and the user. The trace goes a way of its
own, see :mod:`tasks.engine.attempts.tracing`. Language and time zone are Django's: its own
variables belong to one coroutine or thread, as all that is here.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone as zones
from django.utils import translation
from django.utils.module_loading import import_string

from tasks.conf import conf

__all__ = [
    "Circumstances",
    "capture",
    "carried",
    "clean",
    "current_user",
    "kept",
    "provider",
    "request_id",
    "restore",
    "user_key",
]

logger = logging.getLogger("headway")

#: As a run keeps them: JSON, without what is as the settings have it.
Circumstances = Mapping[str, Any]

#: Of the request that the current code serves, or of the one that enqueued the current run.
request_id: ContextVar[str | None] = ContextVar("headway_request_id", default=None)

#: Gives the user on whose behalf the current code runs, so that a run enqueued in a
#: request belongs to who made the request. Called only when something is enqueued.
current_user: ContextVar[Callable[[], Any] | None] = ContextVar("headway_user", default=None)

#: Those of the run that the current code belongs to.
_carried: ContextVar[Circumstances | None] = ContextVar("headway_circumstances", default=None)

#: Of a run that is enqueued again.
_kept: ContextVar[Circumstances | None] = ContextVar("headway_kept", default=None)

_LONGEST = 200  # characters of a request id; those that are made by machines have 36


def capture(user_id: Any = None) -> dict[str, Any]:
    """What is so now and not by the settings, or what is :func:`kept`."""
    if (found := _kept.get()) is None:
        found = {
            "request_id": _current_request_id(),
            "language": _language(),
            "time_zone": _zone_name(zones.get_current_timezone()),
        }
    found = {**found, "user_id": None if user_id is None else str(user_id)}
    return {name: value for name, value in found.items() if value is not None}


@contextmanager
def kept(given: Circumstances) -> Iterator[None]:
    """What is enqueued within has these, whatever is so here: it is an earlier call once more."""
    token = _kept.set(given)
    try:
        yield
    finally:
        _kept.reset(token)


def restore(given: Circumstances) -> None:
    """Make it so again, for the current coroutine or thread and what that calls.

    In a thread that anyio or asyncio has begun for a coroutine, once more: what Django keeps
    stays behind.
    """
    _carried.set(given)
    request_id.set(given.get("request_id"))
    if language := given.get("language"):
        _attempt(translation.activate, language)
    if (zone := given.get("time_zone")) is not None:
        _attempt(zones.activate, zone if isinstance(zone, str) else _offset(zone))


def carried() -> Circumstances:
    """What was restored for the current run; nothing outside of one."""
    return _carried.get() or {}


def user_key(given: str | None) -> Any:
    """A user's primary key as its field has it, from how it is kept."""
    from tasks.models import TaskRun  # which can be imported when apps are ready

    key = TaskRun._meta.get_field("user").target_field
    return None if given is None else key.to_python(given)


def clean(value: object) -> str:
    """A request id as log lines can carry it: it may come from a stranger."""
    return "".join(filter(str.isprintable, str(value)[:_LONGEST]))


def provider() -> Any:
    """``HEADWAY["REQUEST_ID_PROVIDER"]``; ``ImportError`` if it names what is not there."""
    given = conf().request_id_provider
    return import_string(given) if isinstance(given, str) else given


def _current_request_id() -> str | None:
    if conf().request_id_provider is None or _carried.get() is not None:
        return request_id.get()  # of a run's request, a provider has nothing to say any more
    try:
        ask = provider()
        found = ask and ask()
    except Exception:
        # It is for logs alone, and no reason to refuse what was to be done.
        logger.exception("HEADWAY['REQUEST_ID_PROVIDER'] failed; the run has no request id.")
        return None
    return None if found is None else clean(found) or None


def _language() -> str | None:
    found = translation.get_language()
    return None if found == settings.LANGUAGE_CODE else found


def _zone_name(zone: tzinfo) -> str | int | None:
    """A name of the IANA database, or minutes east of UTC; None: that of the settings."""
    if zone == zones.get_default_timezone():
        return None
    if isinstance(zone, ZoneInfo):
        return zone.key
    if isinstance(zone, timezone):
        return round(zone.utcoffset(None).total_seconds() / 60)
    return str(zone)


def _offset(minutes: int) -> tzinfo:
    return zones.get_fixed_timezone(minutes) if minutes else UTC


def _attempt(activate: Callable[[Any], None], value: object) -> None:
    try:
        activate(value)
    except Exception as error:
        # The process that enqueued it may know languages and zones that this one lacks.
        logger.warning("%r of the enqueueing cannot be restored here: %s", value, error)
