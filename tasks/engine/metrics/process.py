"""What this process has under way at the moment it is scraped."""

from collections.abc import Iterator
from typing import Any

from tasks.engine import control

__all__ = ["Process"]


class Process:
    """Looks at the workforce; a process that executes nothing has no such figures."""

    def __init__(self) -> None:
        self._queues: set[str] = set()  # that are or were busy: one that no longer is has 0

    def describe(self) -> list[Any]:
        return []

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily as Family

        workforce = control.running()
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
