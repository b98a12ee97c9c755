"""What a server writes to watchers, taken apart and checked.

The same bytes go to many watchers, so each piece is looked at once: a client must not be
slower than the server that it judges.
"""

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Batch", "Blocks", "parse_blocks", "parse_message"]

_ENVELOPE = rb'\{"run":"([0-9a-f-]{36})","seq":(\d+),"type":"([^"]+)","at":"[^"]+","data":.*\}'
_MESSAGE = re.compile(_ENVELOPE)
# HTML standard, section 9.2.6: a block ends with an empty line.
_BLOCK = re.compile(
    rb"(?:id: (?P<id>\d+)\nevent: (?P<event>[^\n]+)\ndata: "
    + _ENVELOPE
    + rb"|retry: (?P<retry>\d+)|: heartbeat)\n\n"
)

Event = tuple[bytes, bytes, bytes]  # run, seq, type


class Batch(NamedTuple):
    """Events that came together, with consecutive numbers."""

    runs: frozenset[str]
    seqs: tuple[int, ...]
    types: Counter[str]
    #: The last event is the run's end.
    finished: bool


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
            events.append((block[3], block[4], block[5]))
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
        events.append((envelope[1], envelope[2], envelope[3]))
    return _batch(events)


def _batch(events: Iterable[Event]) -> Batch:
    runs, seqs, types = set(), [], []
    for run, seq, kind in events:
        runs.add(run.decode())
        seqs.append(int(seq))
        types.append(kind.decode())
    assert not seqs or seqs == list(range(seqs[0], seqs[0] + len(seqs))), seqs
    assert "finished" not in types[:-1], f"events {seqs} go on after the end"
    return Batch(frozenset(runs), tuple(seqs), Counter(types), types[-1:] == ["finished"])
