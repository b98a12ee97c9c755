"""Keeping this process's runs its own, and rescuing those of dead processes."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from uuid import UUID

import anyio
from django.db import DatabaseError, InterfaceError, connections

from tasks.conf import conf
from tasks.engine import store
from tasks.engine.endings import lost_with_its_process
from tasks.engine.publisher import Publisher
from tasks.engine.store import Held
from tasks.engine.threads import DatabaseThread, ThreadedChild

__all__ = ["Leases", "Rescuer"]

logger = logging.getLogger("headway.leases")

_LOOK = 0.5  # seconds between two looks for requests to stop or kill

#: What the keeper reports: the runs asked about (id to fence), and those still held.
Report = Callable[[Mapping[UUID, int], list[Held]], None]


class Leases(ThreadedChild):
    """Renews leases in a thread of its own: a blocked event loop is no death.

    The same thread sees what other processes ask of these runs. If the database cannot be
    reached for as long as a lease lasts, another process may have the runs by now, and
    all of them are reported lost. Time is counted from before the renewal was sent, so
    that this process always gives up before another may begin.
    """

    name = "leases"

    def __init__(
        self, worker_id: str, active: Callable[[], Mapping[UUID, int]], report: Report
    ) -> None:
        super().__init__()
        self._worker_id = worker_id
        self._active = active
        self._report = report

    def watch(self, ending: threading.Event) -> None:
        renewed = tried = time.monotonic()
        while not ending.is_set():
            began = time.monotonic()
            due = began - tried >= conf().lease / 3
            try:
                if due:
                    tried = began
                self._look(due)
                if due:
                    renewed = began
            except (DatabaseError, InterfaceError) as error:
                logger.warning("Leases cannot be renewed at the moment: %s", error)
                connections.close_all()
            if time.monotonic() - renewed >= conf().lease:
                self._lose_all()
                renewed = time.monotonic()
            ending.wait(min(_LOOK, conf().lease / 6))

    def _look(self, renew: bool) -> None:
        active = dict(self._active())
        if renew:
            found = store.renew(self._worker_id, conf().lease, active)
        elif active:
            found = store.held(self._worker_id)
        else:
            return
        self.tell(lambda: self._report(active, found))

    def _lose_all(self) -> None:
        active = dict(self._active())
        if active:
            logger.error("The database was silent for a whole lease; ending %d runs", len(active))
            self.tell(lambda: self._report(active, []))


class Rescuer:
    """Takes back runs whose lease is over: at start, and then all the time."""

    def __init__(
        self, writer: DatabaseThread, publisher: Publisher, wake: Callable[[], None]
    ) -> None:
        self._writer = writer
        self._publisher = publisher
        self._wake = wake

    async def serve(self) -> None:
        while True:
            writes = await self._writer.call(store.rescue, lost_with_its_process)
            for write in writes:
                logger.warning(
                    "Run %s was left by a dead process; rescued",
                    write.run_id,
                    extra={"run_id": str(write.run_id)},
                )
            if writes:  # and there may be more
                await self._publisher.publish([(item.run_id, item.events) for item in writes])
                self._wake()
            else:
                await anyio.sleep(min(0.5, conf().lease / 4))
