"""Giving rights and taking them back, inside of a server."""

from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from tasks.handles import get_handle

__all__ = ["close", "deactivate", "fail", "grant", "reopen", "revoke", "sign_out"]


def grant(request: HttpRequest, run_id: str, action: str) -> HttpResponse:
    return HttpResponse(get_handle(run_id).grant(action, lifetime=60))


def revoke(request: HttpRequest, run_id: str) -> HttpResponse:
    get_handle(run_id).revoke_grants()
    return HttpResponse()


def fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("told to")


def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return HttpResponse()


def deactivate(request: HttpRequest) -> HttpResponse:
    User.objects.filter(username=request.user.get_username()).update(is_active=False)
    return HttpResponse()


def close(request: HttpRequest) -> HttpResponse:
    """From now on AUTHZ, as ``unless_closed``, denies everything."""
    User.objects.create(username="closed")
    return HttpResponse()


def reopen(request: HttpRequest) -> HttpResponse:
    """All as it was in the beginning."""
    User.objects.filter(username="closed").delete()
    User.objects.update(is_active=True)
    return HttpResponse()
