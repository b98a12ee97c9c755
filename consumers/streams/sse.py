"""A run's events over HTTP: as an event stream, or a page of them as JSON."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from operator import attrgetter
from typing import Any, Generic, TypeVar

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from consumers.access.auth import Access, Action, admit
from consumers.access.limits import Seat, get_limits
from consumers.access.requests import prefers, user_of
from consumers.asgi import Direct
from consumers.feeds.chunk import CHUNK_EVENTS, Chunk
from consumers.feeds.follower import Signal
from consumers.feeds.fragments import get_fragments, wants_html
from consumers.feeds.hub import get_hub
from consumers.feeds.keep import keep
from consumers.feeds.log import read_page
from consumers.feeds.turn import Outlet
from consumers.feeds.watcher import Watcher
from consumers.snapshot import snapshot_envelope
from consumers.streams.cursor import LATEST, Latest, place, requested
from consumers.streams.pump import Source
from consumers.streams.takeover import SCOPE_KEY
from consumers.wire import CONTENT_TYPE, HEARTBEAT, farewell, opening
from tasks.conf import conf
from tasks.models import TaskRun

__all__ = ["EventStream", "RunStream", "events", "respond", "seat_for", "stream"]

T = TypeVar("T")

_FRAMES: Callable[[Chunk], bytes] = attrgetter("frames")

_SAID: dict[Signal, Callable[[], bytes]] = {
    Signal.HEARTBEAT: lambda: HEARTBEAT,
    Signal.FAREWELL: farewell,
    Signal.GONE: lambda: b"",
    Signal.DENIED: lambda: b"",  # coming again, they are refused, and told why
}


async def events(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """``GET tasks/<id>/events/``."""
    cursor = requested(request.headers.get("Last-Event-ID"), request.GET.get("after"))
    html = wants_html(request)
    if prefers(request, "text/event-stream", "application/json") == "application/json":
        run = (await admit(user_of(request), run_id, Action.STREAM)).run
        return await _page(run, place(cursor, run.last_seq))
    with seat_for(request) as seat:
        access = await admit(user_of(request), run_id, Action.STREAM)
        run = access.run
        if cursor == run.last_seq and run.is_finished:
            # The one answer that makes an EventSource stop for good.
            return HttpResponse(status=204)
        seat.hold_for(access.user)
        if run.is_finished:
            await sync_to_async(keep)(run)
        return await stream(request, access, cursor, seat, html=html)


def seat_for(request: HttpRequest) -> Seat:
    """A place among the open streams; :func:`respond` keeps it for as long as there is one."""
    return get_limits().enter(getattr(request, "scope", {}), "sse")


async def stream(
    request: HttpRequest,
    access: Access,
    cursor: int | Latest,
    seat: Seat,
    status: int = 200,
    html: bool = False,
) -> HttpResponseBase:
    """The response that streams what follows *cursor*, to who was let in to it."""
    run = access.run
    after = place(cursor, run.last_seq)
    first = opening(conf().heartbeat)
    if cursor is LATEST:
        state = Chunk(after, [await sync_to_async(snapshot_envelope)(run)])
        first += await _frames(state, html)
    watcher = get_hub().watch(run, after, "sse", access.admission)
    return respond(request, RunStream(watcher, first, html), seat, status)


class EventStream(ABC, Generic[T]):
    """Items as bytes of an event stream."""

    #: Given back with the stream's end.
    seat: Seat | None = None

    def __init__(self, watcher: Source[T], opening: bytes) -> None:
        self.watcher = watcher
        self.opening = opening

    @abstractmethod
    async def encode(self, item: T) -> bytes:
        """The bytes to write for an item."""

    def hurry(self, direct: Direct) -> None:
        """Have news written to *direct* while the watcher waits, if they can be."""

    def said(self, signal: Signal) -> bytes:
        return _SAID[signal]()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.opening
        async for item in self.watcher:
            yield await self.encode(item)

    def close(self) -> None:
        """Release everything. Safe to call twice."""
        try:
            self.watcher.close()
        finally:
            if self.seat is not None:
                self.seat.release()


class RunStream(EventStream[Chunk | Signal]):
    """A watcher's items as bytes of an event stream, in JSON or as fragments of HTML."""

    def __init__(self, watcher: Watcher, opening: bytes, html: bool = False) -> None:
        super().__init__(watcher, opening)
        self._watcher = watcher
        self._html = html

    def hurry(self, direct: Direct) -> None:
        if not self._html:  # which may have to be rendered first
            self._watcher.outlet = Outlet("frames", _FRAMES, direct)

    async def encode(self, item: Chunk | Signal) -> bytes:
        return await _frames(item, self._html) if isinstance(item, Chunk) else self.said(item)


def respond(
    request: HttpRequest, served: EventStream[Any], seat: Seat, status: int = 200
) -> HttpResponseBase:
    """The response with this stream."""
    served.seat = seat.keep()
    slot = getattr(request, "scope", {}).get(SCOPE_KEY)
    response: HttpResponseBase
    if slot is None:  # nobody around us takes it over, so Django streams: dearer, the same
        response = StreamingHttpResponse(served, status=status, content_type=CONTENT_TYPE)
    else:
        slot.take(served)
        response = HttpResponse(status=status, content_type=CONTENT_TYPE)
    response["Cache-Control"] = "no-cache, no-transform"
    response["X-Accel-Buffering"] = "no"
    return response


async def _frames(chunk: Chunk, html: bool) -> bytes:
    if not html:
        return chunk.frames
    ids = (b"%d" % seq for seq in range(chunk.first, chunk.last + 1))
    return await get_fragments().frames(ids, chunk.envelopes)


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
