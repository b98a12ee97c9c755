"""Which pages may open a stream here.

The same-origin policy does not cover WebSockets, yet the browser sends the cookies:
any page on the web could read with its visitor's rights. Browsers always say which page
it is (RFC 6455, section 10.2); a client that says nothing is no browser. An event stream a
foreign page could at least open, by an image for example: for that, browsers say nothing of
the page, and ``Sec-Fetch-Site`` that it is another one (W3C Fetch Metadata).
"""

from enum import Enum, auto
from io import BytesIO
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from django.utils.http import is_same_domain

from consumers.asgi import Scope
from tasks.conf import conf

__all__ = ["Page", "is_trusted", "page_behind", "page_in"]

_PORTS = {"http": 80, "https": 443}
_NOT_FOREIGN = frozenset({"same-origin", "none"})  # none: typed, or a bookmark


class Page(Enum):
    """Where a request comes from."""

    OWN = auto()  # of this host, of CSRF_TRUSTED_ORIGINS, or of no browser at all
    DECLARED = auto()  # of HEADWAY["CORS_ORIGINS"]: for a grant, and not for a cookie
    FOREIGN = auto()


def page_in(scope: Scope) -> Page:
    """The page that opens a WebSocket."""
    return page_behind(ASGIRequest({**scope, "method": "GET"}, BytesIO()))


def page_behind(request: HttpRequest) -> Page:
    """The page that sends a request; a foreign one as well if this host is not ours."""
    try:
        host = request.get_host()
    except DisallowedHost:
        return Page.FOREIGN
    given = request.headers.get("Origin")
    if given is None:
        site = request.headers.get("Sec-Fetch-Site")
        return Page.OWN if site is None or site in _NOT_FOREIGN else Page.FOREIGN
    try:
        if _is_host(urlsplit(given.lower()), host) or is_trusted(given):
            return Page.OWN
    except ValueError:  # of a port that is none
        return Page.FOREIGN
    return Page.DECLARED if given in conf().cors_origins else Page.FOREIGN


def is_trusted(given: str) -> bool:
    """Whether an origin is one of ``CSRF_TRUSTED_ORIGINS``."""
    origin = urlsplit(given.lower())
    return any(_matches(origin, trusted) for trusted in settings.CSRF_TRUSTED_ORIGINS)


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
