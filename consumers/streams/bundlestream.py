"""Events of several runs as one event stream."""

from collections.abc import Sequence

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from consumers.access.auth import Access, Action, admit
from consumers.access.limits import Seat
from consumers.access.requests import user_of
from consumers.feeds.bundle import Bundle, Item
from consumers.feeds.follower import Signal
from consumers.feeds.fragments import get_fragments, wants_html
from consumers.feeds.hub import get_hub
from consumers.feeds.keep import keep
from consumers.refusal import Refusal
from consumers.snapshot import snapshot_envelope
from consumers.streams.cursor import LATEST, place
from consumers.streams.sse import EventStream, respond, seat_for
from consumers.streams.vector import Vector
from consumers.wire import frame_at, opening
from tasks.conf import conf
from tasks.models import TaskRun

__all__ = ["BundleStream", "events_of_many"]


async def events_of_many(request: HttpRequest) -> HttpResponseBase:
    """``GET tasks/events/?run=…&run=…``: all or nothing of them."""
    html = wants_html(request)
    with seat_for(request) as seat:
        return await _streamed(request, await _admitted(request, seat), seat, html)


async def _streamed(
    request: HttpRequest, admitted: list[Access], seat: Seat, html: bool
) -> HttpResponseBase:
    runs = [access.run for access in admitted]
    vector = Vector(run.pk for run in runs)
    text = request.headers.get("Last-Event-ID", request.GET.get("after"))
    latest = text == LATEST.value and "Last-Event-ID" not in request.headers
    cursors = {} if latest or text is None else vector.parse(text)
    default = LATEST if latest else 0
    cursors = {run.pk: place(cursors.get(run.pk, default), run.last_seq) for run in runs}
    open_ = [one for one in admitted if not _is_read(one.run, cursors[one.run.pk])]
    if not (open_ or latest):
        return HttpResponse(status=204)  # see sse
    vector.place(cursors)
    first = opening(conf().heartbeat)
    if latest:
        first += await _snapshots(runs, vector, html)
    bundle = get_hub().bundle("sse")
    for run, admission in ((access.run, access.admission) for access in open_):
        bundle.add(bundle.open(run, cursors[run.pk], admission))
    if not open_:
        bundle.close()
    return respond(request, BundleStream(bundle, vector, first, html), seat)


class BundleStream(EventStream[list[Item] | Signal]):
    """A bundle's items as bytes of an event stream, which ends with its last member."""

    def __init__(self, bundle: Bundle, vector: Vector, opening: bytes, html: bool = False) -> None:
        super().__init__(bundle, opening)
        self._html = html
        self._bundle = bundle
        self._vector = vector

    async def encode(self, items: list[Item] | Signal) -> bytes:
        if isinstance(items, Signal):
            return self.said(items)
        written: list[bytes] = []
        for item in items:
            if isinstance(item.found, Signal):
                # One cannot go on here: all come again, and hear what has become of it.
                self._bundle.close()
                return b"".join([*written, self.said(item.found)])
            if item.found is not None:
                ids = self._vector.ids(item.member.run_id, item.found)
                written.append(await _frames(ids, item.found.envelopes, self._html))
        if not self._bundle.members:
            self._bundle.close()
        return b"".join(written)


async def _admitted(request: HttpRequest, seat: Seat) -> list[Access]:
    """To the runs, each once. A refusal of some refuses the request, and names them."""
    texts = dict.fromkeys(request.GET.getlist("run"))
    if not texts:
        raise Refusal(400, "bad_request", "Name runs: ?run=…&run=…")
    if len(texts) > (limit := conf().subscriptions):
        raise Refusal(400, "too_many", f"A stream may have {limit} runs.")
    user = user_of(request)
    found: dict[object, Access] = {}
    refused: dict[str, Refusal] = {}
    for text in texts:
        try:
            access = await admit(user, text, Action.STREAM)
            if access.run.is_finished:
                await sync_to_async(keep)(access.run)
            found[access.run.pk] = access
        except Refusal as refusal:
            refused[text] = refusal
    if refused:
        first = next(iter(refused.values()))
        first.runs = [text for text, other in refused.items() if other.code == first.code]
        raise first
    admitted = list(found.values())
    seat.hold_for(admitted[0].user)
    return admitted


def _is_read(run: TaskRun, cursor: int) -> bool:
    return run.is_finished and cursor == run.last_seq


async def _snapshots(runs: list[TaskRun], vector: Vector, html: bool) -> bytes:
    """The state of each. Who has not read them all has no id, and begins with them again."""
    envelopes = await sync_to_async(lambda: [snapshot_envelope(run) for run in runs])()
    return await _frames([b""] * (len(runs) - 1) + [vector.text], envelopes, html)


async def _frames(ids: Sequence[bytes], envelopes: Sequence[bytes], html: bool) -> bytes:
    if html:
        return await get_fragments().frames(ids, envelopes)
    return b"".join(map(frame_at, ids, envelopes))
