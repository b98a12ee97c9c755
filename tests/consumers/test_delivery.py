"""Whatever happens between them, a watcher gets exactly the log.

Hypothesis plays the world: it commits events, lets messages fly, doubles, loses and
reorders them, answers reads of the database late and in any order, lets clients join,
stall and leave, the layer fail and forget, and the hub die. At every moment each client
has a piece of the log that begins after its cursor and has no hole; in the end, all.
"""

from typing import Any, Literal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from consumers.feeds import chunk, replay
from tasks.engine.metrics.trouble import Trouble

from .world import World

RUNS = [UUID(int=1), UUID(int=2), UUID(int=5)]  # the first and the last share a shard

runs = st.sampled_from(RUNS)
turns = st.sampled_from([0, 1, 2, 3, 10])
sees: st.SearchStrategy[Literal["then", "now"]] = st.sampled_from(["then", "now"])


class Delivery(RuleBasedStateMachine):
    """One rule for each thing that can happen; after it, some turns of the loop."""

    def __init__(self, world: type[World] = World) -> None:
        super().__init__()
        self.world = world(RUNS)

    @initialize(joined=st.lists(runs, max_size=6))
    def begin(self, joined: list[UUID]) -> None:
        for run in joined:
            self.world.fetch(run)
            self.world.join(-1, 0)
        self.world.turn(10)

    @rule(run=runs, count=st.integers(1, 12), ends=st.integers(0, 14), turns=turns)
    def emit(self, run: UUID, count: int, ends: int, turns: int) -> None:
        self.world.emit(run, count, finish=ends == 7)
        self.world.turn(turns)

    @precondition(lambda self: self.world.flying)
    @rule(data=st.data(), keep=st.booleans(), turns=turns)
    def deliver(self, data: st.DataObject, keep: bool, turns: int) -> None:
        self.world.deliver(_index(data, self.world.flying), keep)
        self.world.turn(turns)

    @precondition(lambda self: self.world.flying)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        self.world.lose(_index(data, self.world.flying))

    @precondition(lambda self: self.world.log.waiting)
    @rule(data=st.data(), sees=sees, turns=turns)
    def release(self, data: st.DataObject, sees: Literal["then", "now"], turns: int) -> None:
        self.world.release(data.draw(st.integers(0, self.world.log.waiting - 1)), sees)
        self.world.turn(turns)

    @rule(run=runs)
    def fetch(self, run: UUID) -> None:
        self.world.fetch(run)

    @precondition(lambda self: self.world.rows)
    @rule(data=st.data(), turns=turns)
    def join_late(self, data: st.DataObject, turns: int) -> None:
        """By a row that was read a while ago."""
        index = _index(data, self.world.rows)
        self.world.join(index, data.draw(st.integers(0, self.world.rows[index].last_seq)))
        self.world.turn(turns)

    @rule(run=runs, data=st.data(), turns=turns)
    def join(self, run: UUID, data: st.DataObject, turns: int) -> None:
        self.world.fetch(run)
        self.world.join(-1, data.draw(st.integers(0, self.world.rows[-1].last_seq)))
        self.world.turn(turns)

    @precondition(lambda self: self.world.readers)
    @rule(data=st.data(), turns=turns)
    def leave(self, data: st.DataObject, turns: int) -> None:
        self.world.leave(_index(data, self.world.readers))
        self.world.turn(turns)

    @precondition(lambda self: self.world.readers)
    @rule(data=st.data(), turns=turns)
    def stall_or_read_on(self, data: st.DataObject, turns: int) -> None:
        reading = self.world.readers[_index(data, self.world.readers)].reading
        if reading.is_set():
            reading.clear()
        else:
            reading.set()
        self.world.turn(turns)

    @rule(turns=turns)
    def reconcile(self, turns: int) -> None:
        self.world.reconcile()
        self.world.turn(turns)

    @rule(what=st.sampled_from(["forget", "fail", "restart"]), turns=turns)
    def suffer(self, what: str, turns: int) -> None:
        getattr(self.world, what)()
        self.world.turn(turns)

    @invariant()
    def nobody_has_anything_but_the_log(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        try:
            self.world.finish()
        finally:
            self.world.close()


def _index(data: st.DataObject, things: list[Any]) -> int:
    return data.draw(st.integers(0, len(things) - 1))


def _excuse(trouble: Trouble, _: object, error: BaseException | None, __: object) -> bool:
    """Live through the failures that the world makes, and through no bug."""
    trouble._failures = 1 if error else 0
    return isinstance(error, ConnectionError)


@pytest.fixture
def small_world(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks, feeds and kept pages so small that a few events fill them."""
    # The clock must not play along: what it would do, the rules do.
    settings.HEADWAY = {
        "SHARDS": 4,
        "RECONCILE": 3600,
        "HEARTBEAT": 3600,
        "FEED_BYTES": 1024,
        "REPLAY_BYTES": 4096,
    }
    monkeypatch.setattr(chunk, "CHUNK_EVENTS", 4)
    monkeypatch.setattr(replay, "CHUNK_EVENTS", 4)
    monkeypatch.setattr(Trouble, "pause", 0.0)
    monkeypatch.setattr(Trouble, "__exit__", _excuse)


@pytest.mark.usefixtures("small_world")
def test_every_watcher_gets_exactly_the_log() -> None:
    run_state_machine_as_test(
        Delivery,
        settings=settings(
            max_examples=150,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
