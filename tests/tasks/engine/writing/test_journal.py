"""The journal: one order, group commit, bounds, and failures in the middle."""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import anyio
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tasks.engine.attempts.attempt import Attempt
from tasks.engine.attempts.endings import End
from tasks.engine.process.threads import DatabaseThread
from tasks.engine.store import Claim, RunWrite
from tasks.engine.writing.journal import Journal
from tasks.engine.writing.publisher import Parcel, Publisher
from tasks.events import Event
from tasks.exceptions import InvalidEvent, RunLost
from tasks.ids import new_run_id
from tasks.states import Ending


class FakeWriter:
    """Stands in for the database's thread: commits, fails, or loses the answer, as told."""

    def __init__(self) -> None:
        self.log: dict[UUID, list[Event]] = {}
        self.groups: list[int] = []
        self.stolen: set[UUID] = set()
        self.faults: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def call(self, _: object, writes: Sequence[RunWrite]) -> set[UUID]:
        await self.gate.wait()
        await asyncio.sleep(0)  # a commit takes a turn of the loop at least
        fault = self.faults.pop() if self.faults else ""
        if fault == "fails":
            raise OSError("the database went away")
        self.groups.append(sum(len(write.events) for write in writes))
        for write in writes:
            kept = self.log.setdefault(write.run_id, [])
            fresh = [event for event in write.events if event.seq > len(kept)]
            if write.run_id not in self.stolen:
                kept.extend(fresh)
        if fault == "answer lost":
            raise OSError("the connection broke after the commit")
        return {write.run_id for write in writes} & self.stolen


class FakePublisher:
    def __init__(self) -> None:
        self.sent: dict[UUID, list[Event]] = {}

    async def publish(self, parcel: Parcel) -> None:
        for run_id, events in parcel.batches:
            self.sent.setdefault(run_id, []).extend(events)


class Bench:
    """A journal between a fake writer and a fake publisher."""

    def __init__(self) -> None:
        self.writer, self.publisher = FakeWriter(), FakePublisher()
        self.journal = Journal(cast(DatabaseThread, self.writer), cast(Publisher, self.publisher))

    async def __aenter__(self) -> "Bench":
        self._serving = asyncio.create_task(self._serve())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._serving.cancel()

    async def _serve(self) -> None:
        while True:
            with suppress(OSError):  # as the supervisor does: serve again
                await self.journal.serve()


def an_attempt() -> Attempt:
    started = Event(2, "started", datetime.now(UTC), "{}")
    return Attempt(
        Claim(new_run_id(), "t", "[]", "{}", "default", 0, 1, 1, 1, None, "", 0.0, started)
    )


async def finish(bench: Bench, attempt: Attempt) -> None:
    bench.journal.settle(attempt, End(Ending.RETURNED, value="null"))
    await attempt.settled


def numbers(events: Sequence[Event]) -> list[int]:
    return [event.seq for event in events]


async def _interleave(plan: list[int], faults: list[str]) -> None:
    async with Bench() as bench:
        # The fake's log starts at seq 1, a claimed run's at 3.
        attempts = [an_attempt() for _ in range(3)]
        for attempt in attempts:
            bench.writer.log[attempt.claim.run_id] = [attempt.claim.started] * 2
        bench.writer.faults = list(faults)
        for step in plan:
            if step == 3:
                await asyncio.sleep(0)  # the point at which commits interleave
            else:
                bench.journal.append(attempts[step], "tick", step)
        for attempt in attempts:
            await finish(bench, attempt)
        for number, attempt in enumerate(attempts):
            sent = bench.publisher.sent[attempt.claim.run_id]
            assert numbers(sent) == list(range(3, plan.count(number) + 4))
            assert sent[-1].type == "finished"
            assert bench.writer.log[attempt.claim.run_id][2:] == sent


@hypothesis_settings(max_examples=150, deadline=None)
@given(
    plan=st.lists(st.integers(0, 3), max_size=60),
    faults=st.lists(st.sampled_from(["", "fails", "answer lost"]), max_size=6),
)
def test_any_interleaving_is_committed_and_published_in_order(
    plan: list[int], faults: list[str]
) -> None:
    asyncio.run(_interleave(plan, faults))


async def test_gathers_while_a_commit_is_under_way() -> None:
    async with Bench() as bench:
        attempt = an_attempt()
        bench.writer.log[attempt.claim.run_id] = [attempt.claim.started] * 2
        bench.writer.gate.clear()
        bench.journal.append(attempt, "tick", 0)
        await asyncio.sleep(0.01)  # lets the first group reach the gate; too short only weakens
        for number in range(300):
            bench.journal.append(attempt, "tick", number)
        bench.writer.gate.set()
        await finish(bench, attempt)
    assert bench.writer.groups == [1, 301]


async def test_full_makes_emitters_wait(settings: Any) -> None:
    settings.HEADWAY = {"JOURNAL_EVENTS": 10}
    async with Bench() as bench:
        attempt = an_attempt()
        bench.writer.gate.clear()
        for number in range(10):
            bench.journal.append(attempt, "tick", number)
        assert bench.journal.full
        waiting = asyncio.create_task(bench.journal.room())
        thread = threading.Thread(target=bench.journal.room_blocking)
        thread.start()
        done, _ = await asyncio.wait({waiting}, timeout=0.05)
        assert not done
        assert thread.is_alive()
        bench.writer.gate.set()
        with anyio.fail_after(5):
            await waiting
            await asyncio.to_thread(thread.join)
        assert not bench.journal.full


async def test_flush_waits_for_the_commit() -> None:
    async with Bench() as bench:
        attempt = an_attempt()
        bench.writer.log[attempt.claim.run_id] = [attempt.claim.started] * 2
        await bench.journal.flush(attempt)  # nothing to wait for
        bench.journal.append(attempt, "tick", 1)
        await bench.journal.flush(attempt)
        assert numbers(bench.writer.log[attempt.claim.run_id][2:]) == [3]
        await bench.journal.flush(attempt)


async def test_a_stolen_run_publishes_nothing_and_refuses() -> None:
    async with Bench() as bench:
        attempt, other = an_attempt(), an_attempt()
        bench.writer.stolen = {attempt.claim.run_id}
        bench.writer.log[other.claim.run_id] = [other.claim.started] * 2
        bench.journal.append(attempt, "tick", 1)
        bench.journal.append(other, "tick", 1)
        with pytest.raises(RunLost):
            await bench.journal.flush(attempt)
        await attempt.settled
        assert attempt.claim.run_id not in bench.publisher.sent
        with pytest.raises(RunLost):
            bench.journal.append(attempt, "tick", 2)
        await finish(bench, other)
        assert numbers(bench.publisher.sent[other.claim.run_id]) == [3, 4]


async def test_a_large_event_is_refused_and_takes_no_number(settings: Any) -> None:
    settings.HEADWAY = {"EVENT_BYTES": 1024}
    async with Bench() as bench:
        attempt = an_attempt()
        with pytest.raises(InvalidEvent, match="1024"):
            bench.journal.append(attempt, "tick", "x" * 2000)
        bench.writer.log[attempt.claim.run_id] = [attempt.claim.started] * 2
        await finish(bench, attempt)
        assert numbers(bench.publisher.sent[attempt.claim.run_id]) == [3]


async def test_many_threads_share_one_order() -> None:
    async with Bench() as bench:
        attempt = an_attempt()
        bench.writer.log[attempt.claim.run_id] = [attempt.claim.started] * 2

        def emit() -> None:
            for number in range(200):
                bench.journal.append(attempt, "tick", number)

        await asyncio.gather(*(asyncio.to_thread(emit) for _ in range(4)))
        await finish(bench, attempt)
        assert numbers(bench.publisher.sent[attempt.claim.run_id]) == list(range(3, 804))
