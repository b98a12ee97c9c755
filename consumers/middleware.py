"""What runs that are enqueued in a request keep of it: whose it is, and its id."""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast
from uuid import uuid4

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from consumers.access.requests import user_of
from tasks.surroundings import circumstances

__all__ = ["enqueueing_as", "request_id", "run_owner"]

Respond = Callable[[HttpRequest], HttpResponseBase]
RespondAsync = Callable[[HttpRequest], Awaitable[HttpResponseBase]]
Around = Callable[[HttpRequest], AbstractContextManager[None]]
Finish = Callable[[HttpResponseBase], None]

HEADER = "X-Request-ID"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._:+/=@-]{1,128}")  # what comes from outside goes to logs


@contextmanager
def enqueueing_as(user: Callable[[], Any]) -> Iterator[None]:
    """Within, runs belong to *user*, which is asked only when one is enqueued."""
    token = circumstances.current_user.set(user)
    try:
        yield
    finally:
        circumstances.current_user.reset(token)


@contextmanager
def _identified(request: HttpRequest) -> Iterator[None]:
    given = request.headers.get(HEADER, "")
    token = circumstances.request_id.set(given if _WELL_FORMED.fullmatch(given) else uuid4().hex)
    try:
        yield
    finally:
        circumstances.request_id.reset(token)


def _answer_with_id(response: HttpResponseBase) -> None:
    if found := circumstances.request_id.get():
        response.headers.setdefault(HEADER, found)


def _nothing(response: HttpResponseBase) -> None:
    pass


def _wrapped(
    get_response: Respond | RespondAsync, around: Around, finish: Finish = _nothing
) -> Respond | RespondAsync:
    if iscoroutinefunction(get_response):
        respond_async = cast(RespondAsync, get_response)

        async def asynchronous(request: HttpRequest) -> HttpResponseBase:
            with around(request):
                response = await respond_async(request)
                finish(response)
                return response

        return asynchronous
    respond = cast(Respond, get_response)

    def synchronous(request: HttpRequest) -> HttpResponseBase:
        with around(request):
            response = respond(request)
            finish(response)
            return response

    return synchronous


@sync_and_async_middleware
def run_owner(get_response: Respond | RespondAsync) -> Respond | RespondAsync:
    """``"consumers.middleware.run_owner"``, anywhere after the authentication."""
    return _wrapped(get_response, lambda request: enqueueing_as(user_of(request)))


@sync_and_async_middleware
def request_id(get_response: Respond | RespondAsync) -> Respond | RespondAsync:
    """``"consumers.middleware.request_id"``, as the first one.

    The id is that of ``X-Request-ID``, which proxies set, or a new one; the answer has it too.
    """
    return _wrapped(get_response, _identified, _answer_with_id)
