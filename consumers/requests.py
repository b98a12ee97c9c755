"""What a view wants to know of a request."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from consumers.auth import User

__all__ = ["prefers", "user_of"]


def user_of(request: HttpRequest) -> "Callable[[], User]":
    """Gives the request's user, read from the database if need be.

    It is ``request.user`` and not ``auser()``: a project's own authentication may have
    set the one and not the other.
    """
    from django.contrib.auth.models import AnonymousUser

    def user() -> "User":
        found: User = getattr(request, "user", None) or AnonymousUser()
        _ = found.is_authenticated  # lazy until somebody looks
        return found

    return user


def prefers(request: HttpRequest, *offered: str) -> str:
    """The media type the client likes best; the first one if it likes none or says nothing."""
    return request.get_preferred_type(list(offered)) or offered[0]
