"""The room a process has for runs, queue by queue."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from tasks.engine.store import Slot
from tasks.settings.queues import OTHERS

__all__ = ["Room"]


class Room:
    """Which queues this process takes runs from, and how many more of each right now.

    A queue with a limit has it to itself; all that have none share *concurrency*.
    """

    def __init__(self, queues: Mapping[str, int | None], concurrency: int) -> None:
        self._whole = list(_slots(dict(queues) or {OTHERS: None}, concurrency))
        self._busy: Counter[str] = Counter()  # runs at present, by queue

    @property
    def is_unused(self) -> bool:
        """Whether no run is under way."""
        return not self._busy

    @property
    def busy(self) -> dict[str, int]:
        """Runs under way, by queue. Any thread."""
        return dict(self._busy)

    @property
    def capacity(self) -> int:
        """Runs that may be under way at once."""
        return sum(whole.limit for whole in self._whole)

    def take(self, queue_name: str) -> None:
        self._busy[queue_name] += 1

    def free(self, queue_name: str) -> None:
        self._busy[queue_name] -= 1
        if not self._busy[queue_name]:
            del self._busy[queue_name]

    def slots(self) -> Iterator[Slot]:
        """What is left; where nothing is, a limit of 0 or less."""
        for whole in self._whole:
            busy = sum(count for name, count in self._busy.items() if whole.takes(name))
            yield replace(whole, limit=whole.limit - busy)


def _slots(queues: Mapping[str, int | None], concurrency: int) -> Iterator[Slot]:
    own = {name: limit for name, limit in queues.items() if limit is not None}
    sharing = queues.keys() - own.keys()
    for name, limit in own.items():
        if name != OTHERS:
            yield Slot(limit, only=(name,))
        else:
            yield Slot(limit, but=tuple(queues.keys() - {OTHERS}))
    if OTHERS in sharing:
        yield Slot(concurrency, but=tuple(own))
    elif sharing:
        yield Slot(concurrency, only=tuple(sharing))
