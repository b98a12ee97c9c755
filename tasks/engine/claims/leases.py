"""Keeping this process's runs its own, and rescuing those of dead processes."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from uuid import UUID

import anyio
from django.db import DatabaseError, InterfaceError, connections

from tasks.conf import conf
from tasks.engine import store
from tasks.engine.attempts.attempt import Attempt
from tasks.engine.attempts.endings import lost_with_its_process
from tasks.engine.metrics import instruments
from tasks.engine.pipelines import conductor
from tasks.engine.process.threadedchild import ThreadedChild
from tasks.engine.process.threads import DatabaseThread
from tasks.engine.store import Held
from tasks.engine.writing.publisher import Publisher, pack

__all__ = ["Leases", "Rescuer", "relied_on_until"]

logger = logging.getLogger("headway.leases")

_LOOK = 0.3  # seconds between two looks for requests to stop or kill of which no news came
_RELIED_ON = 0.9  # of a lease; in the rest, runs that have been asked to end clean up

#: What the keeper reports: the attempts asked about, and the runs still held.
Report = Callable[[Sequence[Attempt], Mapping[UUID, Held]], None]


def relied_on_until(sent: float) -> float:
    """How long a lease counts that was asked for at *sent*, both by ``time.monotonic()``.

    The database counts from later on, so this process gives a run up before another may
    begin it, whatever the clocks of the two say.
    """
    return sent + conf().lease * _RELIED_ON


class Leases(ThreadedChild):
    """Renews leases in a thread of its own: a blocked event loop is no death.

    The same thread sees what other processes ask of these runs. It may hang in the
    database, so what has not been renewed in time is ended by the loop (:meth:`expire`),
    and an attempt that asks knows by itself. If loop and thread both hang, the fence
    keeps what comes late from being written.
    """

    name = "leases"

    def __init__(
        self,
        worker_id: str,
        active: Callable[[], list[Attempt]],
        report: Report,
        lose: Callable[[Attempt], None],
    ) -> None:
        super().__init__()
        self._worker_id = worker_id
        self._active = active
        self._report = report
        self._lose = lose
        self._failing = False  # said once, not at every look
        self._asked = threading.Event()

    def look(self) -> None:
        """Look now: somebody asks something of a run that may be here. Any thread."""
        self._asked.set()

    interrupt = look

    def watch(self, ending: threading.Event) -> None:
        while not ending.is_set():
            self._asked.clear()
            try:
                self._look()
            except (DatabaseError, InterfaceError) as error:
                instruments.renewal_failures.inc()
                if not self._failing:
                    logger.warning("Leases cannot be renewed at the moment: %s", error)
                self._failing = True
                connections.close_all()
            self._asked.wait(min(_LOOK, conf().lease / 6))

    async def expire(self) -> None:
        """End what has not been renewed in time, for ever."""
        while True:
            await anyio.sleep(conf().lease / 40)
            over = [item for item in self._active() if item.expired and not item.closed]
            if over:
                logger.error("The database, or this process, was silent for a whole lease.")
            for attempt in over:
                self._lose(attempt)

    def _look(self) -> None:
        if not (attempts := self._active()):
            return
        asked = time.monotonic()
        third = relied_on_until(asked - conf().lease / 3)
        if due := any(attempt.leased_until <= third for attempt in attempts):
            ids = [attempt.claim.run_id for attempt in attempts]
            found = store.renew(self._worker_id, conf().lease, ids)
        else:
            found = store.held(self._worker_id)
        if self._failing:
            logger.info("Leases are renewed again.")
            self._failing = False
        held = {item.run_id: item for item in found}
        for attempt in attempts if due else ():
            item = held.get(attempt.claim.run_id)
            # What has expired stays so: its task may have been told.
            if item and item.fence == attempt.claim.fence and not attempt.expired:
                attempt.leased_until = relied_on_until(asked)
        self.tell(partial(self._report, attempts, held))


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
            instruments.rescued.inc(len(writes))
            for write in writes:
                logger.warning(
                    "Run %s was left by a dead process; rescued",
                    write.run_id,
                    extra={"run_id": str(write.run_id)},
                )
            if writes:  # and there may be more
                events = pack([(item.run_id, item.events) for item in writes])
                await self._publisher.publish(events)
                ids = [item.run_id for item in writes]
                conductor.note(await self._writer.call(store.owners, ids))
                self._wake()
            else:
                await anyio.sleep(min(0.5, conf().lease / 4))
