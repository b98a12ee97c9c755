"""The part of a supervisor that executes runs: its children wired together."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import anyio
from anyio.abc import TaskGroup

from tasks.conf import conf
from tasks.engine import control
from tasks.engine.attempts.attempt import Attempt, Cause
from tasks.engine.attempts.audience import Audience
from tasks.engine.attempts.endings import End, cancelled
from tasks.engine.attempts.postman import Postman
from tasks.engine.claims.claimer import Claimer
from tasks.engine.claims.leases import Leases, Rescuer
from tasks.engine.claims.presence import Presence, new_worker_id
from tasks.engine.claims.room import Room
from tasks.engine.executing.executor import Executor
from tasks.engine.metrics import instruments
from tasks.engine.news import tidings
from tasks.engine.news.wakers import News, wakers
from tasks.engine.pipelines.conductor import Conductor
from tasks.engine.process.children import Child
from tasks.engine.process.either import either
from tasks.engine.process.loops import call_on
from tasks.engine.process.threads import DatabaseThread
from tasks.engine.store import Claim, Held, RunWrite
from tasks.engine.upkeep.checkpoints import checkpoints
from tasks.engine.upkeep.pruning import Pruner
from tasks.engine.writing.journal import Journal
from tasks.engine.writing.publisher import Publisher, pack
from tasks.logs import name_worker
from tasks.states import CancelRequest, Ending

__all__ = ["Workforce"]

logger = logging.getLogger("headway.supervisor")

_LAST_WORDS = 0.5  # seconds a cancelled run has to clean up before it is given up


class Workforce:
    """Claims runs, starts them in a TaskGroup, and knows which are under way."""

    def __init__(self) -> None:
        self.worker_id = new_worker_id()
        self._loop = asyncio.get_running_loop()
        self._writer = DatabaseThread("headway-writer")
        self._publisher = Publisher()
        self._journal = Journal(self._writer, self._publisher)
        self._executor = Executor(self._journal)
        self._claimer = Claimer(self.worker_id, self._writer, self._start)
        self._leases = Leases(self.worker_id, self._unsettled, self._check, self._lose)
        self._postman = Postman(self._unsettled)
        self._presence = Presence(self.worker_id)
        self._rescuer = Rescuer(self._writer, self._publisher, self._claimer.wake)
        self._active: dict[UUID, Attempt] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._hurried = asyncio.Event()
        self._runs: TaskGroup | None = None
        self.ready, self.exhausted = self._claimer.ready, self._claimer.exhausted

    def children(self) -> list[Child]:
        return [
            Child("journal", self._journal.serve),
            Child("leases", self._leases.serve),
            Child("expiry", self._leases.expire),
            Child("presence", self._presence.serve),
            Child("audience", Audience(self._unsettled).serve),
            Child("postman", self._postman.serve),
            Child("rescue", self._rescuer.serve),
            Child("retention", Pruner().serve),
            Child("claimer", self._claimer.serve),
            Child("conductor", Conductor().serve),
            *checkpoints(),
            *wakers(self.hear, self._writer),
        ]

    @property
    def room(self) -> Room:
        """Which runs are under way, and how many may be."""
        return self._claimer.room

    @property
    def uncommitted(self) -> int:
        """Events that wait to be written."""
        return self._journal.uncommitted

    def open(self, runs: TaskGroup) -> None:
        """Start runs in *runs* from now on."""
        self._runs = runs
        name_worker(self.worker_id)
        control.attach(self)

    def close(self) -> None:
        """Let go of threads and connections."""
        control.detach(self)
        self._executor.close()
        self._writer.close()

    # What control asks, from any thread through call()

    def call(self, callback: Callable[[], object]) -> None:
        """Have *callback* called on the loop. Any thread."""
        call_on(self._loop, callback)

    def hear(self, news: News) -> None:
        """Act on what this process, or another one, has just written."""
        self._postman.look()  # whatever it is: SQLite does not tell what was written
        match news:
            case News.RUN:
                self._claimer.wake()
            case News.CANCEL:
                self._leases.look()
            case News.LISTS:
                tidings.want()

    def cancel(self, run_id: UUID, request: CancelRequest) -> None:
        """End the local attempt at a run, if there is one."""
        attempt = self._active.get(run_id)
        if attempt is None or attempt.closed:
            return
        if attempt.cause is None:
            self._journal.announce_stopping(attempt, str(request))
            attempt.cancel(Cause(str(request)))
            if request == CancelRequest.STOP:
                self._loop.call_later(conf().grace, self._tell_ignored, attempt, conf().grace)
        if request == CancelRequest.KILL and not attempt.killed:
            attempt.killed = True
            attempt.cancel(Cause.KILL)
            self._give_up_later(attempt)

    def announce(self, write: RunWrite) -> None:
        """Publish what another thread has written."""
        if self._runs is not None:
            self._runs.start_soon(self._publisher.publish, pack([(write.run_id, write.events)]))

    # Draining

    def hurry(self) -> None:
        """Cut the grace period short."""
        self._hurried.set()

    async def drain(self, grace: float) -> None:
        """Claim no more, let runs end for *grace* seconds, and give the rest back."""
        self._claimer.stop()
        self._presence.drain()
        if self._active:
            logger.info("Draining: %d runs have up to %g s to end", len(self._active), grace)
        # While the database cannot be reached there is nothing to wait for.
        with anyio.move_on_after(grace if self.ready.is_set() else 0):
            await either(self._finished(), self._hurried.wait())
        for attempt in list(self._active.values()):
            attempt.cancel(Cause.DRAIN)
        with anyio.move_on_after(_LAST_WORDS):
            # A claim may be under way, and never answered; what it takes goes back as well.
            await self._finished()
        for attempt in list(self._active.values()):
            extra = attempt.origin.extra
            logger.warning("%r ignores its cancellation and is given back", attempt, extra=extra)
            self._journal.settle(attempt, End(Ending.DRAINED))
        with anyio.move_on_after(_LAST_WORDS):
            for attempt in list(self._active.values()):
                await attempt.settled

    async def _finished(self) -> None:
        await self._claimer.stopped.wait()
        await self._idle.wait()

    # Starting and checking

    def _start(self, claims: list[Claim], leased_until: float) -> None:
        if self._runs is None:
            raise RuntimeError("Runs were claimed before there was a group to execute them.")
        for claim in claims:
            attempt = Attempt(claim, leased_until)
            instruments.begun(claim)
            if (older := self._active.get(claim.run_id)) is not None:
                # This process slept through its lease, and has just rescued its own run.
                self._journal.abandon(older)
            self._active[claim.run_id] = attempt
            self._idle.clear()
            if self._claimer.stopping:
                attempt.cancel(Cause.DRAIN)
            self._runs.start_soon(self._execute, attempt, name=f"run {claim.task}[{claim.run_id}]")
        if claims:
            started = [(claim.run_id, [claim.started]) for claim in claims]
            self._runs.start_soon(self._publisher.publish, pack(started))

    async def _execute(self, attempt: Attempt) -> None:
        if attempt.claim.cancel_requested:
            self.cancel(attempt.claim.run_id, CancelRequest(attempt.claim.cancel_requested))
        try:
            await self._executor.execute(attempt)
        except Exception:
            # A fault of the engine: siblings go on, and the lease, renewed no more, brings
            # the run back.
            logger.exception("%r could not be executed", attempt)
            self._journal.abandon(attempt)
        finally:
            # The run may be here again already, as another attempt.
            if self._active.get(attempt.claim.run_id) is attempt:
                del self._active[attempt.claim.run_id]
            self._claimer.free(attempt.claim, again=attempt.comes_again)
            if not self._active:
                self._idle.set()

    def _tell_ignored(self, attempt: Attempt, seconds: float) -> None:
        """Say of a stop that it has had no effect, if that is so; only a kill will have."""
        if attempt.closed or attempt.killed or attempt.ask is not None:
            return
        extra = attempt.origin.extra
        logger.warning(
            "%r ignores its stop since %g s; kill ends it", attempt, seconds, extra=extra
        )
        self._journal.announce_ignored(attempt, seconds)

    def _give_up_later(self, attempt: Attempt) -> None:
        """Write the end of a killed attempt soon, whether or not its code has ended."""
        self._loop.call_later(_LAST_WORDS, self._journal.settle, attempt, cancelled(Cause.KILL))

    def _unsettled(self) -> list[Attempt]:
        """What this process needs its leases for, unwritten ends too. Any thread."""
        return [attempt for attempt in list(self._active.values()) if not attempt.settled.done()]

    def _lose(self, attempt: Attempt) -> None:
        extra = attempt.origin.extra
        logger.warning("%r has lost its lease and is ended here", attempt, extra=extra)
        self._journal.abandon(attempt)

    def _check(self, asked: Sequence[Attempt], held: Mapping[UUID, Held]) -> None:
        """Act on what the lease thread has found."""
        for attempt in asked:
            if attempt.closed:
                continue
            item = held.get(attempt.claim.run_id)
            if item is None or item.fence != attempt.claim.fence:
                self._lose(attempt)
            elif item.cancel_requested:
                self.cancel(attempt.claim.run_id, CancelRequest(item.cancel_requested))
