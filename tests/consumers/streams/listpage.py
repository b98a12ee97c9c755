"""A page that shows a list of runs, and runs that come and end."""

from typing import Any
from urllib.parse import urlencode

from asgiref.sync import sync_to_async

from tasks.engine import store
from tasks.engine.attempts.endings import cancelled_while_waiting
from tasks.handles import Handle
from tasks.states import CancelRequest
from tests.app import tasks as app
from tests.listing import Listing

from ..connections import Headers, HttpStream

PATH = "/tasks/feed/"


enqueue = sync_to_async(lambda task=app.add, *args: task.enqueue(*(args or (1,))))


@sync_to_async
def end(handle: Handle) -> None:
    """A state of it that is its last."""
    store.cancel(handle.run_id, CancelRequest.STOP, cancelled_while_waiting)


class Page:
    """A page with a list; it may connect again with what it has."""

    def __init__(self, headers: Headers = (), **query: Any) -> None:
        self.listing = Listing()
        self._headers = list(headers)
        self._query = urlencode(query, doseq=True)
        self.stream: HttpStream

    async def open(self) -> "Page":
        headers = list(self._headers)
        if self.listing.after is not None:
            headers.append((b"last-event-id", self.listing.after.encode()))
        self.stream = await HttpStream(PATH, self._query, headers).open()
        assert self.stream.status == 200, self.stream.content
        return self

    async def whole(self) -> dict[str, dict[str, Any]]:
        """Read until there is an id that there was not before."""
        before = self.listing.after
        while self.listing.after in (None, before):
            self.listing.take((await self.stream.chunk()).decode())
        return self.listing.known

    async def leave(self) -> None:
        await self.stream.disconnect()
        self.listing.cut()
