"""Where in a log a watch is."""

from enum import Enum, auto
from typing import NamedTuple, Self

from consumers.client.event import Event

__all__ = ["Cursor", "Order"]


class Order(Enum):
    """What an event is to a cursor."""

    NEXT = auto()
    KNOWN = auto()
    #: Something is missing before it.
    GAP = auto()


class Cursor(NamedTuple):
    """The last event that has come."""

    seq: int
    id: str
    #: What tells the logs of a StreamTask apart; empty where a number alone was given.
    log: str

    @classmethod
    def of(cls, place: int | str) -> Self:
        """Of a seq or the id of an event; ``ValueError`` for what is neither."""
        number, _, log = str(place).partition("-")
        return cls(int(number), str(place), log)

    def order(self, event: Event) -> Order:
        new = Cursor.of(event.id)
        # A task that was started again has a new log; of one that is deleted the end is left.
        if new.seq == 1 and (new.log != self.log or event.last):
            return Order.NEXT
        if self.log and new.log != self.log:
            return Order.GAP
        if new.seq <= self.seq:
            return Order.KNOWN
        return Order.NEXT if new.seq == self.seq + 1 else Order.GAP
