"""Settings of the service with a content security policy that allows nothing inline."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from asgi_app.settings import *  # noqa: F403
from asgi_app.settings import MIDDLEWARE as ORDINARY

SOURCES = ("script-src", "style-src", "img-src", "connect-src", "form-action")
POLICY = "; ".join(["default-src 'none'", *(f"{source} 'self'" for source in SOURCES)])


def with_policy(get_response: Callable[[HttpRequest], HttpResponse]) -> object:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["Content-Security-Policy"] = POLICY
        return response

    return middleware


MIDDLEWARE = ["tests.e2e.strict.with_policy", *ORDINARY]
