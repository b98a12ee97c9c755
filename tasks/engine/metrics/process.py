"""What this process has under way at the moment it is scraped."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

__all__ = ["Process", "Workforce"]


class Room(Protocol):
    @property
    def busy(self) -> Mapping[str, int]: ...

    @property
    def capacity(self) -> int: ...


class Workforce(Protocol):
    """What is told of one."""

    @property
    def room(self) -> Room: ...

    @property
    def uncommitted(self) -> int: ...


class Process:
    """Looks at the workforce; a process that executes nothing has no such figures."""

    def __init__(self, running: Callable[[], Workforce | None]) -> None:
        self._running = running
        self._queues: set[str] = set()  # that are or were busy: one that no longer is has 0

    def describe(self) -> list[Any]:
        return []

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily as Family

        workforce = self._running()
        if workforce is None:
            return
        running = Family("headway_process_running", "Runs under way here", labels=["queue"])
        busy = workforce.room.busy
        self._queues |= busy.keys()
        for queue_name in sorted(self._queues):
            running.add_metric([queue_name], busy.get(queue_name, 0))
        yield running
        yield Family("headway_process_capacity", "Runs at once here", workforce.room.capacity)
        yield Family(
            "headway_process_journal_events", "Events not committed yet", workforce.uncommitted
        )
