"""A run's events over HTTP: as an event stream, or a page of them as JSON."""

from collections.abc import AsyncIterator, Callable

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from consumers.asgi import Put
from consumers.auth import Action, admit
from consumers.chunk import CHUNK_EVENTS, Chunk
from consumers.cursor import LATEST, Latest, place, requested
from consumers.hub import get_hub
from consumers.keep import keep
from consumers.log import read_page
from consumers.requests import prefers, user_of
from consumers.snapshot import snapshot_envelope
from consumers.takeover import SCOPE_KEY
from consumers.watcher import Signal, Watcher
from consumers.wire import CONTENT_TYPE, HEARTBEAT, OPENING, farewell, frame
from tasks.models import TaskRun

__all__ = ["EventStream", "events", "stream"]

_SAID: dict[Signal, Callable[[], bytes]] = {
    Signal.HEARTBEAT: lambda: HEARTBEAT,
    Signal.FAREWELL: farewell,
    Signal.GONE: lambda: b"",
}


async def events(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """``GET tasks/<id>/events/``."""
    cursor = requested(request.headers.get("Last-Event-ID"), request.GET.get("after"))
    _, run = await admit(user_of(request), run_id, Action.STREAM)
    if prefers(request, "text/event-stream", "application/json") == "application/json":
        return await _page(run, place(cursor, run.last_seq))
    if cursor == run.last_seq and run.is_finished:
        # The one answer that makes an EventSource stop for good.
        return HttpResponse(status=204)
    if run.is_finished:
        await sync_to_async(keep)(run)
    return stream(request, run, cursor)


def stream(
    request: HttpRequest, run: TaskRun, cursor: int | Latest, status: int = 200
) -> HttpResponseBase:
    """The response that streams what follows *cursor*."""
    after = place(cursor, run.last_seq)
    opening = OPENING
    if cursor is LATEST:
        opening += frame(after, snapshot_envelope(run))
    served = EventStream(get_hub().watch(run, after, "sse"), opening)
    response = _response(request, served, status)
    response["Cache-Control"] = "no-cache, no-transform"
    response["X-Accel-Buffering"] = "no"
    return response


class EventStream:
    """A watcher's items as bytes of an event stream."""

    def __init__(self, watcher: Watcher, opening: bytes) -> None:
        self.watcher = watcher
        self.opening = opening

    def encode(self, item: Chunk | Signal) -> bytes:
        return item.frames if isinstance(item, Chunk) else _SAID[item]()

    def push(self, put: Put) -> None:
        """Let the watcher write news by itself while it waits."""
        self.watcher.put = lambda chunk: put(chunk.frames)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.opening
        async for item in self.watcher:
            yield self.encode(item)

    def close(self) -> None:
        self.watcher.close()


def _response(request: HttpRequest, served: EventStream, status: int) -> HttpResponseBase:
    slot = getattr(request, "scope", {}).get(SCOPE_KEY)
    if slot is None:  # nobody around us takes it over, so Django streams: dearer, the same
        return StreamingHttpResponse(served, status=status, content_type=CONTENT_TYPE)
    slot.stream = served
    return HttpResponse(status=status, content_type=CONTENT_TYPE)


async def _page(run: TaskRun, after: int) -> HttpResponse:
    page = await sync_to_async(read_page)(run.pk, after, CHUNK_EVENTS)
    last = after + len(page.envelopes)
    following = "null"
    if last < run.last_seq:
        following = f'"{reverse("headway:events", args=[run.pk])}?after={last}"'
    body = b'{"events":[%s],"last_seq":%d,"next":%s}' % (
        b",".join(page.envelopes),
        run.last_seq,
        following.encode(),
    )
    response = HttpResponse(body, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response
