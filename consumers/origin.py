"""Which pages may open a WebSocket here.

The same-origin policy does not cover WebSockets, yet the browser sends the cookies:
any page on the web could read with its visitor's rights. Browsers always say which page
it is (RFC 6455, section 10.2); a client that says nothing is no browser.
"""

from io import BytesIO
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.utils.http import is_same_domain

from consumers.asgi import Scope

__all__ = ["origin_allowed"]

_PORTS = {"http": 80, "https": 443}


def origin_allowed(scope: Scope) -> bool:
    """Whether the page is this host's or of ``CSRF_TRUSTED_ORIGINS``, and the host ours."""
    request = ASGIRequest({**scope, "method": "GET"}, BytesIO())
    try:
        host = request.get_host()
    except DisallowedHost:
        return False
    given = request.headers.get("Origin")
    if given is None:
        return True
    try:
        origin = urlsplit(given.lower())
        return _is_host(origin, host) or any(
            _matches(origin, trusted) for trusted in settings.CSRF_TRUSTED_ORIGINS
        )
    except ValueError:  # of a port that is none
        return False


def _is_host(origin: SplitResult, host: str) -> bool:
    # Not the scheme: a proxy that ends TLS leaves "ws" here, with the page on https.
    if origin.scheme not in _PORTS or not origin.hostname:
        return False
    here = urlsplit(f"{origin.scheme}://{host.lower()}")
    return _place(origin) == _place(here)


def _matches(origin: SplitResult, trusted: str) -> bool:
    pattern = urlsplit(trusted.lower().replace("://*.", "://.", 1))
    return (
        origin.scheme == pattern.scheme
        and _place(origin)[1] == _place(pattern)[1]
        and is_same_domain(origin.hostname or "", pattern.hostname or "")
    )


def _place(url: SplitResult) -> tuple[str | None, int | None]:
    return url.hostname, url.port or _PORTS.get(url.scheme)
