"""Views that are still busy when the server stops."""

import asyncio
import time
from collections.abc import AsyncIterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from tasks import aenqueue
from tests.asgi_app.service.tasks import say


async def enqueue(request: HttpRequest, name: str, seconds: float) -> HttpResponse:
    handle = await aenqueue(f"tests.asgi_app.service.tasks.{name}", seconds)
    return HttpResponse(handle.id)


async def slow(request: HttpRequest, seconds: float) -> HttpResponse:
    say("view begun")
    await asyncio.sleep(seconds)  # an answer that takes its time
    return HttpResponse("answered")


async def block(request: HttpRequest, seconds: float) -> HttpResponse:
    """Blocks the event loop, as no view should."""
    say("view begun")
    time.sleep(seconds)  # noqa: ASYNC251
    return HttpResponse("answered")


def occupy(request: HttpRequest, seconds: float) -> HttpResponse:
    """Occupies its thread."""
    say("view begun")
    time.sleep(seconds)  # to take so long is what it is for
    return HttpResponse("answered")


async def large(request: HttpRequest, size: int) -> HttpResponse:
    """An answer that no socket's buffer can hold."""
    return HttpResponse(bytes(size))


async def endless(request: HttpRequest) -> StreamingHttpResponse:
    """A stream of the project's own, through Django's handler and never ending."""

    async def lines() -> AsyncIterator[bytes]:
        yield b"first\n"
        try:
            await asyncio.Event().wait()
        finally:
            say("stream ended")

    return StreamingHttpResponse(lines(), content_type="text/plain")
