"""Makes runs that are enqueued in a request belong to the request's user."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from consumers.access.requests import user_of
from tasks.context import current_user

__all__ = ["enqueueing_as", "run_owner"]

Respond = Callable[[HttpRequest], HttpResponseBase]
RespondAsync = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@contextmanager
def enqueueing_as(user: Callable[[], Any]) -> Iterator[None]:
    """Within, runs belong to *user*, which is asked only when one is enqueued."""
    token = current_user.set(user)
    try:
        yield
    finally:
        current_user.reset(token)


@sync_and_async_middleware
def run_owner(get_response: Respond | RespondAsync) -> Respond | RespondAsync:
    """``"consumers.middleware.run_owner"``, anywhere after the authentication."""
    if iscoroutinefunction(get_response):
        respond_async = cast(RespondAsync, get_response)

        async def asynchronous(request: HttpRequest) -> HttpResponseBase:
            with enqueueing_as(user_of(request)):
                return await respond_async(request)

        return asynchronous
    respond = cast(Respond, get_response)

    def synchronous(request: HttpRequest) -> HttpResponseBase:
        with enqueueing_as(user_of(request)):
            return respond(request)

    return synchronous
