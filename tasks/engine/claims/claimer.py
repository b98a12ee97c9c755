"""Taking waiting runs, as many as there is room for."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from tasks.conf import conf
from tasks.engine import store
from tasks.engine.attempts import tracing
from tasks.engine.claims.leases import relied_on_until
from tasks.engine.claims.room import Room
from tasks.engine.pipelines import conductor
from tasks.engine.process.threads import DatabaseThread
from tasks.engine.store import Claim

__all__ = ["Claimer"]

_RUNS_A_CLAIM = 100


class Claimer:
    """Claims runs in batches and hands them over.

    Looks when it is woken (a run was enqueued in this process, or one has ended) and
    every ``HEADWAY["POLL"]`` seconds (another process may have enqueued).
    """

    def __init__(
        self, worker_id: str, writer: DatabaseThread, start: Callable[[list[Claim], float], None]
    ) -> None:
        self._worker_id = worker_id
        self._writer = writer
        self._start = start
        self.room = Room(conf().queues, conf().concurrency)
        self._wake = asyncio.Event()
        #: What a claim takes that is under way is not to begin.
        self.stopping = False
        self._guess = ""  # the queue that had runs last: the next one is probably there
        self._crowded = False  # some queue had no room left, so runs may be waiting for it
        #: Set when nothing is being claimed and nothing will be.
        self.stopped = asyncio.Event()
        #: Set when the first claim has gone through.
        self.ready = asyncio.Event()
        #: Set once nothing was under way, nor anything found to claim.
        self.exhausted = asyncio.Event()

    def wake(self) -> None:
        """Look for runs now. From the loop."""
        self._wake.set()

    def free(self, claim: Claim, *, again: bool) -> None:
        """The run of *claim* needs its room no more. It waits *again*, perhaps from now on."""
        self.room.free(claim.queue_name)
        if self._crowded or again:
            self._wake.set()

    def stop(self) -> None:
        """Claim no more; :attr:`stopped` says when that is so."""
        self.stopping = True
        self._wake.set()

    async def serve(self) -> None:
        try:
            woken = False
            while not self.stopping:
                self._wake.clear()
                more = await self._guessed() if woken else False
                more = more or await self._claim_all()
                self.ready.set()
                woken = False
                if not more and not self.stopping:
                    woken = await self._pause()
        finally:
            if self.stopping:
                self.stopped.set()

    async def _guessed(self) -> bool:
        """Claim where there was something last time, before all is looked at; whether any was.

        At most half of the room, lest a queue of higher priority find none.
        """
        slot = next((slot for slot in self.room.slots() if slot.takes(self._guess)), None)
        if not self._guess or slot is None or slot.limit < 2:
            return False
        limit = min(slot.limit // 2, _RUNS_A_CLAIM)
        return bool(await self._take(store.claim_from, self._guess, limit))

    async def _claim_all(self) -> bool:
        """Claim once for every slot with room; True if there may be more to claim."""
        more = False
        # What is under way may enqueue more, and a pipeline will.
        found = not self.room.is_unused or conductor.busy()
        self._crowded = False
        for slot in self.room.slots():
            if slot.limit <= 0:
                self._crowded = True
                continue
            asked = replace(slot, limit=min(slot.limit, _RUNS_A_CLAIM))
            taken = await self._take(store.claim, asked)
            found = found or taken > 0
            more = more or taken == asked.limit
        if not found:
            self.exhausted.set()
        return more

    async def _take(self, claim: Callable[..., list[Claim]], *where: object) -> int:
        """Claim, and start what was taken; how much that was."""
        sent = time.monotonic()
        claims = await self._writer.call(_traced, claim, self._worker_id, conf().lease, *where)
        taken = len(claims)
        while claims and time.monotonic() - sent > conf().lease / 3:
            sent = time.monotonic()
            claims = await self._still_ours(claims)
        for ours in claims:
            self.room.take(ours.queue_name)
        self._start(claims, relied_on_until(sent))
        if claims:
            self._guess = claims[-1].queue_name
            # The next claim's preparations would keep the interpreter from these.
            await asyncio.sleep(0)
        return taken

    async def _still_ours(self, claims: list[Claim]) -> list[Claim]:
        """What of *claims* nobody has taken since, its leases renewed.

        The answer took so long that they may have been rescued already.
        """
        ids = [taken.run_id for taken in claims]
        held = await self._writer.call(store.renew, self._worker_id, conf().lease, ids)
        fences = {item.run_id: item.fence for item in held}
        return [taken for taken in claims if fences.get(taken.run_id) == taken.fence]

    async def _pause(self) -> bool:
        """Wait to be woken, or for the next poll; whether it was woken."""
        try:
            await asyncio.wait_for(self._wake.wait(), conf().poll)
        except TimeoutError:
            return False
        return True


def _traced(claim: Callable[..., list[Claim]], *where: object) -> list[Claim]:
    return tracing.continued(claim(*where))
