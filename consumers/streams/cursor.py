"""Where in a run's log a client wants to begin: after the last event it has."""

import re
from enum import Enum
from typing import Final

from consumers.refusal import Refusal

__all__ = ["LARGEST", "LATEST", "Latest", "given", "place", "requested"]

_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)
LARGEST: Final = 2**63 - 1  # of the database's column


class Latest(Enum):
    """Begin with the run's current state instead of its history."""

    LATEST = "latest"


LATEST: Final = Latest.LATEST


def requested(last_event_id: str | None, after: str | None) -> int | Latest:
    """The cursor a client sent; 0, the beginning, if it sent none.

    An EventSource that reconnects repeats its URL and adds what it has seen in
    between, so ``Last-Event-ID`` comes before ``?after=``.
    """
    # Both are read: what is malformed is refused, even where the other one counts.
    named: int | Latest = 0
    if after is not None:
        named = LATEST if after == LATEST.value else _number("after", after)
    return named if last_event_id is None else _number("Last-Event-ID", last_event_id)


def given(after: object) -> int | Latest:
    """The cursor in a client's JSON; 0, the beginning, if there is none."""
    if after is None:
        return 0
    if after == LATEST.value:
        return LATEST
    if isinstance(after, int) and not isinstance(after, bool) and 0 <= after <= LARGEST:
        return after
    raise Refusal(400, "bad_cursor", 'after must be the seq of an event of this run, or "latest".')


def place(cursor: int | Latest, last_seq: int) -> int:
    """The seq to continue after, in a log that ends at *last_seq*."""
    if cursor is LATEST:
        return last_seq
    if cursor > last_seq:
        # Never "nothing new": a cursor of another run would wait for ever.
        raise Refusal(
            400, "bad_cursor", f"The run's log ends at {last_seq}, before the cursor {cursor}."
        )
    return cursor


def _number(name: str, text: str) -> int:
    if _NUMBER.fullmatch(text) is None or int(text) > LARGEST:
        raise Refusal(400, "bad_cursor", f"{name} must be the seq of an event of this run.")
    return int(text)
