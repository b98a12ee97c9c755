"""The way through a log over one connection after another: what to ask for, and when. No I/O."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote

from consumers.client.blocks import Block, Blocks
from consumers.client.cursor import Cursor, Order
from consumers.client.errors import HeadwayClientError, Unreachable, refusal
from consumers.client.event import Event

__all__ = ["Journey", "Lost"]

_LONGEST = 15.0  # seconds between two tries
_LONGEST_TOLD = 300.0  # seconds that a server may have us wait
_STEADY = 5.0  # seconds: a connection that lasted so long was a good one
_PASSING = frozenset({408, 425, 429})  # and all from 500 on: worth another try


class Lost(Exception):
    """The connection is of no more use; what follows the cursor may be had over another."""


class Journey:
    """Where a watch is: its cursor, and how often it has failed in a row."""

    def __init__(
        self,
        path: str,
        parse: Callable[[Block], Event],
        cursor: int | str = 0,
        patience: float | None = None,
    ) -> None:
        self.path = path
        #: Seconds of silence until a sign of life, as the last connection told.
        self.heartbeat: float | None = None
        self._cursor = Cursor.of(cursor)
        self.over = False
        self._parse = parse
        self._patience = patience
        self._failures = 0
        self._retry = 1.0  # seconds
        self._told = 0.0  # seconds that the server wants nobody to come in
        self._blocks = Blocks()
        self._opened: float | None = None
        self._reached = time.monotonic()

    @classmethod
    def of_run(cls, run_id: object, cursor: int | str, patience: float | None) -> "Journey":
        return cls(f"/tasks/{_quoted(run_id)}/events/", Event.of_run, cursor, patience)

    @classmethod
    def of_task(
        cls, names: tuple[object, ...], cursor: int | str, patience: float | None
    ) -> "Journey":
        return cls(f"/stream/{'/'.join(map(_quoted, names))}", Event.of_task, cursor, patience)

    @property
    def headers(self) -> dict[str, str]:
        """Of the next request."""
        asked = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        return asked | ({"Last-Event-ID": self._cursor.id} if self._cursor.seq else {})

    def answered(self, status: int, headers: Mapping[str, str], body: Callable[[], bytes]) -> bool:
        """Whether the answer is a stream to be read. :class:`Lost`, or a refusal."""
        if status == 204:  # there is nothing after the cursor, and never will be
            self.over = True
            return False
        if status == 200:
            if not headers.get("content-type", "").startswith("text/event-stream"):
                raise HeadwayClientError(f"{self.path} is no event stream.")
            self._blocks = Blocks()
            self._opened = self._reached = time.monotonic()
            return True
        if status in _PASSING or status >= 500:
            after = headers.get("retry-after", "")
            self._told = min(float(after), _LONGEST_TOLD) if after.isdecimal() else 0.0
            raise Lost
        raise refusal(status, body())

    def events(self, data: bytes) -> Iterator[Event]:
        """The events that are complete with *data* and new; :class:`Lost` if one is missing."""
        self._reached = time.monotonic()
        for block in self._blocks.feed(data):
            self.heartbeat = self._blocks.heartbeat
            self._failures = 0
            if not block.id:
                continue  # of a task that has not been started: there is no log yet
            try:
                event = self._parse(block)
            except (ValueError, KeyError, TypeError, AttributeError):
                raise Lost from None
            order = self._cursor.order(event)
            if order is Order.KNOWN:
                continue
            if order is Order.GAP:
                raise Lost
            self._cursor, self.over = Cursor.of(event.id), event.last
            yield event
            if self.over:
                return

    def pause(self) -> float:
        """Seconds until the next connection; :class:`Unreachable` once patience is over.

        Any number up to a bound that doubles with each failure ("full jitter"), so that the
        clients of a server that comes back do not all come at once. One that is full and says
        so is no failure: not before it wants them, and spread over as long again.
        """
        now = time.monotonic()
        if self._patience is not None and now - self._reached >= self._patience:
            raise Unreachable(f"Nothing was heard of {self.path} for {self._patience:g} seconds.")
        if self._opened is not None and now - self._opened >= _STEADY:
            self._failures = 0
        self._opened = None
        if told := self._told:
            self._told = 0.0
            return told + random.uniform(0, min(told, _LONGEST))
        base = self._retry if self._blocks.retry is None else self._blocks.retry
        bound = min(_LONGEST, base * 2.0 ** min(self._failures, 10))
        self._failures += 1
        return random.uniform(0, bound)


def _quoted(name: object) -> str:
    return quote(str(name), safe="")
