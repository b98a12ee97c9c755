"""Answers that pages of other origins may read: those of ``HEADWAY["CORS_ORIGINS"]``.

Without cookies, unless ``CSRF_TRUSTED_ORIGINS`` has the origin too: a grant is what such a
page comes with. (WHATWG Fetch, "HTTP CORS protocol".)
"""

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from consumers.access.origin import is_trusted
from tasks.conf import conf

__all__ = ["expose", "preflight"]

_HEADERS = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-CSRFToken"
_EXPOSED = "Location, Retry-After"
_MAX_AGE = 600  # seconds for which a browser need not ask again


def expose(request: HttpRequest, response: HttpResponseBase) -> None:
    """Let the page read the response, if it is one that may."""
    if not conf().cors_origins:
        return
    # For every page: or a cache would hand one page's headers to another.
    patch_vary_headers(response, ["Origin"])
    origin = _declared(request)
    if origin is not None:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Expose-Headers"] = _EXPOSED
        if is_trusted(origin):
            response["Access-Control-Allow-Credentials"] = "true"


def preflight(request: HttpRequest, methods: Iterable[str]) -> HttpResponse | None:
    """The answer to a browser that asks before a request; None: it is none, or of no such page."""
    asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
    if not asks or _declared(request) is None:
        return None
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Methods"] = ", ".join(methods)
    response["Access-Control-Allow-Headers"] = _HEADERS
    response["Access-Control-Max-Age"] = str(_MAX_AGE)
    return response


def _declared(request: HttpRequest) -> str | None:
    origin = request.headers.get("Origin")
    return origin if origin in conf().cors_origins else None
