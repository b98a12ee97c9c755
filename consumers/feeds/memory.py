"""How much all feeds of a process may keep together."""

from collections import OrderedDict
from typing import Protocol

__all__ = ["Holder", "Memory"]


class Holder(Protocol):
    """Keeps what can be had elsewhere as well."""

    def forget(self) -> None:
        """Keep nothing."""


class Memory:
    """At most *limit* bytes: who has not grown for the longest time forgets first."""

    def __init__(self, limit: int) -> None:
        self.used = 0
        self._limit = limit
        self._sizes: OrderedDict[Holder, int] = OrderedDict()

    def weigh(self, holder: Holder, size: int) -> None:
        """*holder* keeps so many bytes now."""
        self.leave(holder)
        self._sizes[holder] = size
        self.used += size
        while self.used > self._limit:
            oldest, freed = self._sizes.popitem(last=False)
            self.used -= freed
            oldest.forget()

    def leave(self, holder: Holder) -> None:
        """*holder* is no more."""
        self.used -= self._sizes.pop(holder, 0)
