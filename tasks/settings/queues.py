"""Which queues a process takes runs from, in the words of a setting and of a command line.

``mail:5,reports,*:20``, or ``{"mail": 5, "reports": None, "*": 20}``: at most 5 runs of
``mail`` at once, those of ``reports`` within ``CONCURRENCY``, and at most 20 of all other
queues. Without ``*`` it takes runs from no other queue; if none is named, from all.
"""

import re
from collections.abc import Mapping

__all__ = ["OTHERS", "WANTS", "are_limits", "names", "parse"]

#: Stands for every queue that is not named.
OTHERS = "*"

WANTS = "a dict of queue name, or '*' for all others, to runs at once, or None: CONCURRENCY"

_ENTRY = re.compile(r"(?P<name>[^:]+)(:(?P<limit>[1-9][0-9]{0,8}))?", re.ASCII)


def parse(text: str) -> dict[str, int | None]:
    """The queues in *text*; :class:`ValueError` says which entry is none."""
    found: dict[str, int | None] = {}
    for entry in filter(None, map(str.strip, text.split(","))):
        match = _ENTRY.fullmatch(entry)
        name = match["name"].strip() if match else ""
        if match is None or not name:
            raise ValueError(
                f"{entry!r} is no queue: write name, name:limit, or * for all others,"
                " with commas between, such as mail:5,reports,*:20"
            )
        if name in found:
            raise ValueError(f"the queue {name!r} is named twice")
        found[name] = int(match["limit"]) if match["limit"] else None
    if not found:
        raise ValueError("no queue is named; * stands for all")
    return found


def are_limits(value: object) -> bool:
    """Whether *value* has the form of :func:`parse`'s result, or is empty."""
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and name and _is_limit(limit) for name, limit in value.items()
    )


def names(queues: Mapping[str, int | None]) -> list[str]:
    """The names of the only queues that are taken from; none: all are."""
    return [] if OTHERS in queues else list(queues)


def _is_limit(limit: object) -> bool:
    return limit is None or (isinstance(limit, int) and not isinstance(limit, bool) and limit >= 1)
