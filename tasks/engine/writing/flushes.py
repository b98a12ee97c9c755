"""Who waits until what an attempt has emitted is committed."""

import asyncio
from collections.abc import Collection
from uuid import UUID

from tasks.engine.attempts.attempt import Attempt
from tasks.exceptions import RunLost

__all__ = ["Flushes"]


class Flushes:
    """Waits for events up to a seq; the journal tells when to look."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Attempt, int, asyncio.Future[None]]] = []

    def add(self, attempt: Attempt, seq: int) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((attempt, seq, done))
        return done

    def answer(self, refused: Collection[UUID]) -> None:
        """Release those whose events are committed, or *refused* with their run."""
        waiting = []
        for attempt, seq, done in self._waiting:
            if done.done():
                continue
            first = attempt.pending[0].seq if attempt.pending else attempt.next_seq
            if attempt.claim.run_id in refused:
                done.set_exception(RunLost())
            elif first > seq:
                done.set_result(None)
            else:
                waiting.append((attempt, seq, done))
        self._waiting = waiting
