"""Events as HTML that a page puts in as it comes: a fragment each, from a template."""

import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.template.loader import select_template

from consumers.refusal import Refusal
from consumers.wire import fragment, type_of
from tasks.codec import decode, encode
from tasks.engine.process.threads import DatabaseThread

__all__ = ["Fragments", "get_fragments", "wants_html"]

logger = logging.getLogger("headway.fragments")

_KEPT = 8 * 2**20  # bytes of rendered events in memory; older ones are rendered again


def wants_html(request: HttpRequest) -> bool:
    """Whether ``?as=html`` asks for fragments; without it, events are JSON."""
    form = request.GET.get("as", "json")
    if form not in ("json", "html"):
        raise Refusal(400, "bad_request", "as must be json or html.")
    return form == "html"


class Fragments:
    """Rendered events, each once for all who watch it here.

    A template may take its time, and may query: rendering has a thread of its own, and
    knows no request, no user and no language but the project's own.
    """

    def __init__(self, limit: int = _KEPT) -> None:
        self._limit = limit
        self._thread = DatabaseThread("headway-fragments")
        #: Bytes of the fragments that are kept.
        self.size = 0
        # Written in the thread alone. Who asks on the loop finds an entry or does not.
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._failed: set[str] = set()

    async def frames(self, ids: Iterable[bytes], envelopes: Sequence[bytes]) -> bytes:
        """The events as an event stream, whose data is HTML."""
        found = [block for one in envelopes if (block := self._kept.get(one)) is not None]
        if len(found) < len(envelopes):
            found = await self._thread.call(self._all, envelopes)
        return b"".join(b"id: %b\n%b" % pair for pair in zip(ids, found, strict=True))

    def _all(self, envelopes: Sequence[bytes]) -> list[bytes]:
        return [self._kept.get(one) or self._keep(one) for one in envelopes]

    def _keep(self, envelope: bytes) -> bytes:
        block = fragment(type_of(envelope), self._render(decode(envelope)))
        self._kept[envelope] = block
        self.size += len(envelope) + len(block)
        while self.size > self._limit:
            oldest, freed = self._kept.popitem(last=False)
            self.size -= len(oldest) + len(freed)
        return block

    def _render(self, event: dict[str, Any]) -> str:
        """The fragment; nothing, with its id and type all the same, where that fails."""
        kind = event["type"]
        context = {
            **event,
            "at": datetime.fromisoformat(event["at"]),
            "json": encode(event["data"]),
        }
        try:
            template = select_template([f"headway/events/{kind}.html", "headway/event.html"])
            text = str(template.render(context))
        except Exception:
            if kind not in self._failed:  # not for each of thousands
                self._failed.add(kind)
                logger.exception(
                    "Events %r cannot be rendered.", kind, extra={"run_id": event["run"]}
                )
            return ""
        self._failed.discard(kind)
        return text


@cache
def get_fragments() -> Fragments:
    """Those of this process."""
    return Fragments()
