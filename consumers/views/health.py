"""Whether this process lives, and whether it can do its work."""

import asyncio
import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from consumers.views.answer import json_answer
from consumers.views.probes import database_answers, layer_answers

__all__ = ["live", "plain", "ready", "report_readiness"]

logger = logging.getLogger("headway.health")

_reports: dict[str, Callable[[], bool]] = {}


def report_readiness(name: str, is_ready: Callable[[], bool]) -> None:
    """Let ``/health/ready`` depend on *is_ready*. It must not block; a later one replaces it."""
    _reports[name] = is_ready


async def live(request: HttpRequest) -> HttpResponse:
    """``GET health/live``: the event loop answers."""
    return json_answer({"status": "live"})


async def plain(request: HttpRequest) -> HttpResponse:
    """``GET health``: :func:`live`, for those who want no JSON."""
    return HttpResponse("OK", content_type="text/plain", headers={"Cache-Control": "no-store"})


async def ready(request: HttpRequest) -> HttpResponse:
    """``GET health/ready``: 200, or 503 while something is missing, with what it is.

    A layer that is down is named, and makes nobody unready: it costs a second of latency.
    """
    database, layer = await asyncio.gather(database_answers(), layer_answers())
    checks = {"database": database}
    checks |= {name: _holds(name, is_ready) for name, is_ready in _reports.items()}
    fine = all(checks.values())
    status = {
        "status": "ready" if fine else "not ready",
        "checks": checks,
        "degraded": [] if layer else ["layer"],
    }
    return json_answer(status, 200 if fine else 503)


def _holds(name: str, is_ready: Callable[[], bool]) -> bool:
    try:
        return is_ready() is True
    except Exception:
        logger.exception("The readiness of %s cannot be told.", name)
        return False
