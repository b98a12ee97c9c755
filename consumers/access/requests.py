"""What a view wants to know of a request."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

from consumers.access.shown import shown_in
from consumers.access.visitor import Visitor
from consumers.asgi import Scope

if TYPE_CHECKING:
    from consumers.access.rule import User

__all__ = ["prefers", "user_of", "visitor_in"]


def user_of(request: HttpRequest) -> Visitor:
    """Who asks: gives the request's user, read from the database if need be.

    It is ``request.user`` and not ``auser()``: a project's own authentication may have
    set the one and not the other.
    """
    from django.contrib.auth.models import AnonymousUser

    def user() -> "User":
        found: User = getattr(request, "user", None) or AnonymousUser()
        _ = found.is_authenticated  # lazy until somebody looks
        return found

    scope = getattr(request, "scope", None) or {
        "headers": [(b"authorization", request.headers.get("Authorization", "").encode())],
        "query_string": request.META.get("QUERY_STRING", "").encode(),
    }
    return Visitor(user, lambda: getattr(request, "session", None), shown_in(scope))


def visitor_in(scope: Scope) -> Visitor:
    """Who asks on a WebSocket; the login middleware has put user and session into its scope."""
    user: Any = scope.get("user")  # who shows grants alone has none
    session = scope.get("session")
    return Visitor(lambda: user, lambda: session, shown_in(scope))


def prefers(request: HttpRequest, *offered: str) -> str:
    """The media type the client likes best; the first one if it likes none or says nothing."""
    return request.get_preferred_type(list(offered)) or offered[0]
