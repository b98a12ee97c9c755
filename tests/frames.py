"""What a server writes to watchers, taken apart and checked.

The same bytes go to many watchers, so each piece is looked at once: a client must not be
slower than the server that it judges.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Batch", "Blocks", "content", "parse_blocks", "parse_message"]

_ENVELOPE = rb'\{"run":"([0-9a-f-]{36})","seq":(\d+),"type":"([^"]+)","at":"[^"]+","data":(.*)\}'
_MESSAGE = re.compile(_ENVELOPE)
# HTML standard, section 9.2.6: a block ends with an empty line.
_BLOCK = re.compile(
    rb"(?:id: (?P<id>\d+)\nevent: (?P<event>[^\n]+)\ndata: "
    + _ENVELOPE
    + rb"|retry: (?P<retry>\d+)(?:\n: heartbeat [\d.]+)?|: heartbeat)\n\n"
)

Event = tuple[bytes, bytes, bytes, bytes]  # run, seq, type, data


class Batch(NamedTuple):
    """Events that came together, with consecutive numbers."""

    runs: frozenset[str]
    seqs: tuple[int, ...]
    #: The last event is the run's end.
    finished: bool
    #: What they say, for a digest.
    content: bytes


class Blocks(NamedTuple):
    """A piece of an event stream."""

    batch: Batch
    #: Milliseconds, if the last block was a delay until the next connection.
    retry: int | None
    #: What is no whole block yet.
    rest: bytes


@lru_cache(64)
def parse_blocks(data: bytes) -> Blocks:
    """Fails on anything that is neither a block of ours nor the beginning of one."""
    position, retry = 0, None
    events: list[Event] = []
    for block in _BLOCK.finditer(data):
        assert block.start() == position, data[position : block.start()]
        position = block.end()
        retry = int(block["retry"]) if block["retry"] else None
        if block["id"]:
            assert (block["id"], block["event"]) == (block[4], block[5]), block[0]
            events.append((block[3], block[4], block[5], block[6]))
    rest = data[position:]
    assert b"\n\n" not in rest, rest
    return Blocks(_batch(events), retry, rest)


@lru_cache(64)
def parse_message(text: str | bytes) -> Batch:
    """A message of a WebSocket: one envelope, or several on lines of their own."""
    assert isinstance(text, str), text
    events: list[Event] = []
    for line in text.encode().split(b"\n"):
        envelope = _MESSAGE.fullmatch(line)
        assert envelope is not None, line
        events.append((envelope[1], envelope[2], envelope[3], envelope[4]))
    return _batch(events)


def _batch(events: Sequence[Event]) -> Batch:
    seqs = tuple(int(seq) for _, seq, _, _ in events)
    types = [kind for _, _, kind, _ in events]
    assert not seqs or seqs == tuple(range(seqs[0], seqs[-1] + 1)), seqs
    assert b"finished" not in types[:-1], f"events {seqs} go on after the end"
    return Batch(
        runs=frozenset(run.decode() for run, _, _, _ in events),
        seqs=seqs,
        finished=types[-1:] == [b"finished"],
        content=b"".join(content(int(seq), kind, data) for _, seq, kind, data in events),
    )


def content(seq: int, kind: bytes, data: bytes) -> bytes:
    """What one event says."""
    return b"%d %s %s\n" % (seq, kind, data)
