"""A run on lists, and where the lists read."""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple, Protocol
from uuid import UUID

from consumers.access.sight import Sight
from tasks.engine.store import Horizon, Wanted
from tasks.models import TaskRun

__all__ = ["Look", "Plan", "Runs", "Shown"]


class Shown:
    """A run as it was read, written once for all lists that have it."""

    def __init__(self, run: TaskRun, envelope: bytes) -> None:
        self.run = run
        self.envelope = envelope

    @cached_property
    def frame(self) -> bytes:
        """As an event without an id: who reads it has not read all there was yet."""
        return b"event: run\ndata: %b\n\n" % self.envelope


class Look(NamedTuple):
    """What has changed; *number* is higher than that of whatever was read before."""

    number: int
    horizon: Horizon
    #: As the horizon sees them; None if they are too many to be read at once.
    shown: list[Shown] | None


class Plan(NamedTuple):
    """What one list has to read. It is whole at the horizon."""

    number: int
    horizon: Horizon
    run_ids: list[UUID]
    #: It begins anew with the newest runs, whatever it had.
    anew: bool


class Runs(Protocol):
    """The runs in the database. Calls are answered one after the other."""

    async def look(self, seen: Horizon | None) -> Look:
        """What *seen* has not seen; nothing if that is None."""

    async def plan(self, wanted: Wanted, sight: Sight, seen: Horizon | None) -> Plan:
        """The runs of a list that have changed since *seen*, or some of the newest."""

    async def fetch(self, run_ids: Sequence[UUID]) -> list[Shown]:
        """These runs, in this order, without those that are gone."""

    def close(self) -> None:
        """Let go of the database; the next call takes hold of it again."""
