"""Whether this process lives, and whether it can do its work."""

import logging
from collections.abc import Callable

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpRequest, HttpResponse

from consumers.answer import json_answer
from tasks.conf import conf

__all__ = ["live", "ready", "report_readiness"]

logger = logging.getLogger("headway.health")

_reports: dict[str, Callable[[], bool]] = {}


def report_readiness(name: str, is_ready: Callable[[], bool]) -> None:
    """Let ``/health/ready`` depend on *is_ready*. It must not block; a later one replaces it."""
    _reports[name] = is_ready


async def live(request: HttpRequest) -> HttpResponse:
    """``GET health/live``: the event loop answers."""
    return json_answer({"status": "live"})


async def ready(request: HttpRequest) -> HttpResponse:
    """``GET health/ready``: 200, or 503 while something is missing, with what it is."""
    checks = {"database": await sync_to_async(_database)()}
    checks |= {name: _holds(name, is_ready) for name, is_ready in _reports.items()}
    fine = all(checks.values())
    status = {"status": "ready" if fine else "not ready", "checks": checks}
    return json_answer(status, 200 if fine else 503)


def _database() -> bool:
    connection = connections[conf().database]
    try:
        connection.ensure_connection()
        return bool(connection.is_usable())
    except Exception as error:
        # Its text may name the host and the user; the type is enough to go on.
        logger.warning("The database cannot be reached: %s.", type(error).__name__)
        return False


def _holds(name: str, is_ready: Callable[[], bool]) -> bool:
    try:
        return is_ready() is True
    except Exception:
        logger.exception("The readiness of %s cannot be told.", name)
        return False
