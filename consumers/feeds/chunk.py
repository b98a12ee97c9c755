"""Consecutive events of a run, ready to be written at once."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final

from consumers.wire import frame, text_frame, type_of
from tasks.events import FINISHED

__all__ = ["CHUNK_BYTES", "CHUNK_EVENTS", "Chunk", "fitting"]

#: A chunk is one write, and the event loop is nobody else's while it is written.
CHUNK_BYTES: Final = 262_144
CHUNK_EVENTS: Final = 512

_FINISHED = FINISHED.encode()
_FRAME_OVERHEAD = 64  # bytes beside the envelope in an event-stream frame, roughly
_OBJECT_OVERHEAD = 41  # bytes of a bytes object's header, and its place in a tuple
_OVERHEAD = 2 * _FRAME_OVERHEAD + _OBJECT_OVERHEAD


class Chunk:
    """Envelopes of consecutive events from *first* on, shared by all who are at that place.

    Each transport's form is made when first asked for, once.
    """

    def __init__(self, first: int, envelopes: Sequence[bytes]) -> None:
        self.first = first
        self.envelopes = tuple(envelopes)
        self.last = first + len(envelopes) - 1
        #: Whether the last event is the run's ``finished``.
        self.ends_log = type_of(self.envelopes[-1]) == _FINISHED
        #: Bytes of the envelopes.
        self.size = sum(map(len, self.envelopes))
        #: Bytes of memory it may take: the envelopes, and each form of them.
        self.weight = 5 * self.size + _OVERHEAD * len(self.envelopes)
        self._forms: dict[str, bytes] = {}

    def form(self, name: str, make: "Callable[[Chunk], bytes]") -> bytes:
        """A form of some other module's, which makes it."""
        if name not in self._forms:
            self._forms[name] = make(self)
        return self._forms[name]

    @cached_property
    def frames(self) -> bytes:
        """The events as an event stream."""
        return b"".join(map(frame, range(self.first, self.last + 1), self.envelopes))

    @cached_property
    def messages(self) -> bytes:
        """The events as messages of a WebSocket."""
        return b"".join(map(text_frame, self.envelopes))

    @cached_property
    def message(self) -> bytes:
        """The events as one message of a WebSocket."""
        return text_frame(b"\n".join(self.envelopes))


def fitting(envelopes: Sequence[bytes], start: int = 0) -> int:
    """How many of the envelopes from index *start* on make a chunk: at least one."""
    size = 0
    for count, envelope in enumerate(envelopes[start : start + CHUNK_EVENTS]):
        size += len(envelope)
        if size > CHUNK_BYTES:
            return max(count, 1)
    return min(len(envelopes) - start, CHUNK_EVENTS)
