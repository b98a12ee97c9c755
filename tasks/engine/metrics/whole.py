"""The queues and workers of all processes together."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from django.db import connections

from tasks.conf import conf
from tasks.definition import registry
from tasks.engine import store
from tasks.engine.process.threads import DatabaseThread
from tasks.engine.store import Backlog
from tasks.settings.queues import OTHERS

__all__ = ["Whole"]

_KEPT = 3.0  # seconds for which figures are good at least
_SHARE = 20  # of the time, figures may take one part in so many
_PATIENCE = 5.0  # seconds a scrape waits for the database; Prometheus gives up after ten


class Whole:
    """Reads the figures when they are asked for, and not more often than they are worth.

    Every process gives the same: take ``max``, not ``sum``. While the database does not
    answer there are none, and ``headway_database_readable`` is 0.
    """

    def __init__(self) -> None:
        self._thread = DatabaseThread("headway-metrics")
        self._lock = threading.Lock()
        self._reading: Future[Backlog] | None = None
        self._good_until = 0.0
        self._queues: set[str] = set()

    def describe(self) -> list[Any]:
        """Nothing: the registry would collect otherwise, which queries."""
        return []

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily as Family

        found = self._read()
        yield Family("headway_database_readable", "The figures below are there", found is not None)
        if found is None:
            return
        # A queue that is empty is at 0. Without a figure, nothing would scale down.
        self._queues |= {*found.waiting, *found.running, *_known_queues()}
        for name, doc, values in (
            ("headway_runs_waiting", "Runs that could be claimed now", found.waiting),
            ("headway_queue_latency_seconds", "Age of the oldest of them", found.latency),
            ("headway_runs_running", "Runs that are executed", found.running),
        ):
            family = Family(name, f"{doc}; in all processes", labels=["queue"])
            for queue_name in sorted(self._queues):
                family.add_metric([queue_name], values.get(queue_name, 0))
            yield family
        yield Family("headway_workers", "Processes that execute runs", found.workers)

    def _read(self) -> Backlog | None:
        with self._lock:
            if self._reading is None or time.monotonic() >= self._good_until:
                self._good_until = float("inf")
                self._reading = self._thread.submit(self._query)
            try:
                return self._reading.result(_PATIENCE)
            except Exception:  # it is the database's; whoever needs it more says so
                return None

    def _query(self) -> Backlog:
        began = time.monotonic()
        try:
            return store.backlog(silence=conf().lease)
        finally:
            connections.close_all()  # nobody scrapes for seconds
            now = time.monotonic()
            self._good_until = now + max(_KEPT, _SHARE * (now - began))


def _known_queues() -> set[str]:
    named = {*conf().queues} - {OTHERS}
    return named | {task.queue_name for task in registry.known().values()}
