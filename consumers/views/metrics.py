"""Figures for Prometheus."""

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from consumers.access.requests import user_of
from consumers.refusal import Refusal
from tasks.conf import conf
from tasks.engine import metrics

__all__ = ["show"]


async def show(request: HttpRequest) -> HttpResponse:
    """``GET metrics``: for who has the token, and for staff.

    Not for everybody, as health is: it names tasks and queues and tells how busy they
    are. Nor for this machine: behind a proxy on it, every visitor comes from here.
    """
    if not _has_token(request) and not await sync_to_async(_is_staff)(request):
        message = "Send HEADWAY['METRICS_TOKEN'] as a bearer token, or log in as staff."
        raise Refusal(401, "not_authenticated", message, {"WWW-Authenticate": "Bearer"})
    if not metrics.available:
        message = "There are no figures without prometheus-client: install django-headway[metrics]."
        raise Refusal(501, "not_installed", message)
    # It queries and may wait, so it must not have the thread that all requests share.
    render = sync_to_async(_render, thread_sensitive=False)
    body, content_type = await render(request.headers.get("Accept", ""))
    response = HttpResponse(body, content_type=content_type)
    response["Cache-Control"] = "no-store"
    return response


def _render(accept: str) -> tuple[bytes, str]:
    """The figures and their media type, as the Accept header prefers. Queries, and blocks."""
    from prometheus_client import REGISTRY
    from prometheus_client.exposition import choose_encoder

    encode, content_type = choose_encoder(accept)
    return encode(REGISTRY), content_type


def _has_token(request: HttpRequest) -> bool:
    wanted = conf().metrics_token
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    same = constant_time_compare(given.strip(), wanted)
    return bool(wanted) and scheme.lower() == "bearer" and same


def _is_staff(request: HttpRequest) -> bool:
    user = user_of(request)()
    return user.is_authenticated and user.is_active and getattr(user, "is_staff", False) is True
