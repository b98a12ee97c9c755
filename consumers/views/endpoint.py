"""A view from one handler a method: what every endpoint of ours has in common."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import SuspiciousOperation
from django.db.transaction import non_atomic_requests
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.views.decorators.csrf import csrf_exempt

from consumers.access.cors import expose, preflight
from consumers.access.origin import Page, page_behind
from consumers.access.requests import user_of
from consumers.outage import outages_refused
from consumers.refusal import Refusal
from consumers.views.answer import refusal_answer
from tasks.conf import conf

__all__ = ["Handler", "View", "endpoint", "streaming"]

Handler = Callable[..., Awaitable[HttpResponseBase]]
View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]

_SAFE = frozenset({"GET", "HEAD"})


def endpoint(**handlers: Handler) -> View:
    """An async view: a handler for each method, and JSON for every refusal.

    CSRF is checked here, whether the project's middleware has the check or not, so
    that its refusal is JSON as well; the same goes for a login that is missing. Nothing
    is atomic around a request: a run must be committed before its stream begins.
    """
    allowed = ", ".join(sorted(handlers))

    async def view(request: HttpRequest, **captured: str) -> HttpResponseBase:
        response = preflight(request, sorted(handlers)) or await answer(request, captured)
        expose(request, response)
        return response

    async def answer(request: HttpRequest, captured: dict[str, str]) -> HttpResponseBase:
        try:
            handler = handlers.get(request.method or "")
            if handler is None:
                message = f"Only {allowed} can be done here."
                raise Refusal(405, "method_not_allowed", message, {"Allow": allowed})
            if request.method not in _SAFE:
                _check_length(request)
                if not user_of(request).by_grant:  # which no foreign page has
                    await sync_to_async(_check_csrf)(request)
            with outages_refused():
                return await handler(request, **captured)
        except Refusal as refusal:
            return refusal_answer(refusal)

    for alias in settings.DATABASES:
        view = non_atomic_requests(using=alias)(view)
    return csrf_exempt(login_not_required(view))


def streaming(handler: Handler) -> Handler:
    """A handler of event streams: if they are offered, and for pages that may open them."""

    async def guarded(request: HttpRequest, **captured: str) -> HttpResponseBase:
        if not conf().offers("sse"):
            raise Refusal(404, "not_offered", "Event streams are not offered here.")
        if page_behind(request) is Page.FOREIGN:
            raise Refusal(403, "foreign_page", "Pages of this origin may not read here.")
        return await handler(request, **captured)

    return guarded


class _Csrf(CsrfViewMiddleware):
    """Django's check, giving its reason instead of a page."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def _check_csrf(request: HttpRequest) -> None:
    check = _Csrf(lambda _: HttpResponse())
    check.process_request(request)
    try:
        reason = check.process_view(request, lambda _: HttpResponse(), (), {})
    except (SuspiciousOperation, MultiPartParserError):
        raise Refusal(400, "bad_request", "The form cannot be read.") from None
    if reason is not None:
        raise Refusal(403, "csrf", f"{reason} Send Django's CSRF token in X-CSRFToken.")


def _check_length(request: HttpRequest) -> None:
    limit = conf().frame_bytes
    # Django has checked that it is a number, or taken it for none.
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > limit:
        raise Refusal(413, "too_large", f"A body may have {limit} bytes.")
