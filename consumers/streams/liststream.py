"""A list of runs as an event stream: what there is, and then what changes."""

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from consumers.access.onlooker import admit_to_list
from consumers.access.requests import user_of
from consumers.access.sight import Sight
from consumers.feeds.follower import Signal
from consumers.feeds.fragments import wants_html
from consumers.feeds.hub import get_hub
from consumers.feeds.listwatcher import Listed, ListWatcher
from consumers.refusal import Refusal
from consumers.streams.sse import EventStream, respond, seat_for
from consumers.streams.wanted import Place, limit_in, wanted_in
from consumers.wire import HEARTBEAT, opening, place_frame
from tasks.conf import conf

__all__ = ["ListStream", "changes_of_runs"]


async def changes_of_runs(request: HttpRequest) -> HttpResponseBase:
    """``GET tasks/feed/``: of all runs that the user may see, or those that the query names."""
    if wants_html(request):
        # A run comes again with each change, and only the page knows where it has put it.
        raise Refusal(400, "bad_request", "A list is JSON: let its events trigger a request.")
    wanted, limit = wanted_in(request.GET), limit_in(request.GET.get("limit"))
    place = Place(wanted)
    seen = place.parse(request.headers.get("Last-Event-ID", request.GET.get("after")))
    with seat_for(request) as seat:
        user, admission = await sync_to_async(admit_to_list)(user_of(request))
        seat.hold_for(user)
        watcher = get_hub().watch_list(wanted, Sight(user), seen, limit, admission)
        return respond(request, ListStream(watcher, place), seat)


class ListStream(EventStream[Listed | Signal]):
    """A list's items as bytes of an event stream.

    What belongs together has its id at the end: whoever has not read all of it goes on from
    where it was before. A heartbeat tells where the list is by now.
    """

    def __init__(self, watcher: ListWatcher, place: Place) -> None:
        super().__init__(watcher, opening(conf().heartbeat))
        self._list = watcher
        self._place = place

    async def encode(self, item: Listed | Signal) -> bytes:
        if isinstance(item, Signal):
            seen = self._list.seen
            place = b"" if seen is None else place_frame(self._place.text(seen).encode())
            return (HEARTBEAT + place) if item is Signal.HEARTBEAT else self.said(item)
        written = [shown.frame for shown in item.shown]
        if item.anew is not None:
            written.insert(0, _LISTING[item.anew])
        if item.horizon is not None:
            written.append(place_frame(self._place.text(item.horizon).encode()))
        return b"".join(written)


_LISTING = {
    anew: b'event: listing\ndata: {"anew":%s}\n\n' % str(anew).lower().encode()
    for anew in (True, False)
}
