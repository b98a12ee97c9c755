"""Where a viewer is in the logs of a StreamTask: at an event of one of its runs.

A row that is started again has a new run, whose events are numbered from 1 on. So an event's id
names the run as well, ``7-2c3d4e5f6071``. A number alone, as somebody may type it, is of the
newest run.
"""

import re
from uuid import UUID

from consumers.refusal import Refusal
from consumers.streams.cursor import LATEST, requested

__all__ = ["event_id", "place"]

_MARK = re.compile(r"[0-9a-f]{12}", re.ASCII)  # random digits: enough to tell a row's runs apart


def event_id(seq: int, run_id: UUID | str | None) -> str:
    """The id of an event; without a run, of what is told of a row that was completed elsewhere."""
    return f"{seq}-{_mark(run_id)}"


def place(last_event_id: str | None, after: str | None, run_id: UUID | None, last_seq: int) -> int:
    """The seq to continue after, in the log of this run, which ends at *last_seq*.

    For who was at an event of another run, that is the beginning; :func:`requested` says what
    comes before what, and raises for what is no place at all.
    """
    header, mark = _parted(last_event_id)
    query, of_query = _parted(after)
    cursor = requested(header, query)
    if cursor is LATEST:
        return last_seq
    named = of_query if header is None else mark
    if named not in (None, _mark(run_id)) or cursor > last_seq:
        return 0
    return cursor


def _mark(run_id: UUID | str | None) -> str:
    return str(run_id or UUID(int=0))[-12:]


def _parted(text: str | None) -> tuple[str | None, str | None]:
    """Number and run of an id."""
    if text is None or "-" not in text:
        return text, None
    number, _, mark = text.partition("-")
    if not number.isdecimal() or _MARK.fullmatch(mark) is None:
        raise Refusal(400, "bad_cursor", f"{text!r} is no id of an event of this stream.")
    return number, mark
