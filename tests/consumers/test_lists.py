"""Whatever happens between them, a list has in the end every run as it is.

Hypothesis plays the world: transactions take their numbers early and commit late, in any order;
reads are answered slowly, with commits between what they look at first and what then; news
are heard or not; lists come, stall, go, and come back with what they had. A state comes once,
unless it was cut off before its cursor; a run that may not be seen never comes.
"""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from consumers.feeds import lists, listwatcher
from tasks.engine.news import tidings
from tasks.engine.store import Wanted

from .listworld import ListWorld

RUNS = [UUID(int=number) for number in range(1, 8)]

runs = st.sampled_from(RUNS)
turns = st.sampled_from([0, 1, 2, 3, 10])
statuses = st.sampled_from(["READY", "RUNNING", "RUNNING", "SUCCESSFUL", "FAILED"])
wanted = st.sampled_from(
    [
        Wanted(),
        Wanted(queues=("mail",)),
        Wanted(statuses=("RUNNING",)),
        Wanted(statuses=("READY", "FAILED")),
        Wanted(statuses=("SUCCESSFUL",), queues=("default",)),
    ]
)


class Changes(RuleBasedStateMachine):
    """One rule for each thing that can happen; after it, some turns of the loop."""

    def __init__(self) -> None:
        super().__init__()
        self.world = ListWorld(RUNS, most=4)

    @rule(run=runs, status=statuses, transaction=st.integers(0, 3))
    def change(self, run: UUID, status: str, transaction: int) -> None:
        self.world.change(transaction, run, status)

    @precondition(lambda self: self.world.runs.open)
    @rule(data=st.data(), heard=st.booleans(), turns=turns)
    def commit(self, data: st.DataObject, heard: bool, turns: int) -> None:
        self.world.runs.commit(_index(data, self.world.runs.open))
        if heard:
            self.world.lists.hear()
        self.world.turn(turns)

    @precondition(lambda self: self.world.runs.open)
    @rule(data=st.data())
    def roll_back(self, data: st.DataObject) -> None:
        self.world.runs.open.pop(_index(data, self.world.runs.open))

    @precondition(lambda self: self.world.runs.waiting)
    @rule(turns=turns)
    def read_on(self, turns: int) -> None:
        self.world.runs.step()
        self.world.turn(turns)

    @rule(run=runs, status=statuses)
    def change_in_peace(self, run: UUID, status: str) -> None:
        """Alone, and everybody who reads has it before anything else happens."""
        before = len(self.world.runs.open)
        self.world.change(before, run, status)
        if len(self.world.runs.open) > before:
            self.world.runs.commit(-1)
        self.world.lists.hear()
        self.world.read_all()

    @rule(turns=turns)
    def hear(self, turns: int) -> None:
        self.world.lists.hear()
        self.world.turn(turns)

    @rule(wanted=wanted, turns=turns)
    def join(self, wanted: Wanted, turns: int) -> None:
        self.world.join(wanted)
        self.world.turn(turns)

    @precondition(lambda self: self.world.viewers)
    @rule(data=st.data(), turns=turns)
    def leave_or_come_back(self, data: st.DataObject, turns: int) -> None:
        viewer = self.world.viewers[_index(data, self.world.viewers)]
        if viewer.task is None:
            self.world.connect(viewer)
        else:
            self.world.disconnect(viewer)
        self.world.turn(turns)

    @precondition(lambda self: self.world.viewers)
    @rule(data=st.data(), turns=turns)
    def stall_or_read_on(self, data: st.DataObject, turns: int) -> None:
        reading = self.world.viewers[_index(data, self.world.viewers)].reading
        if reading.is_set():
            reading.clear()
        else:
            reading.set()
        self.world.turn(turns)

    @invariant()
    def nothing_has_ended(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        try:
            self.world.finish()
        finally:
            self.world.close()


def _index(data: st.DataObject, things: list[Any]) -> int:
    return data.draw(st.integers(0, len(things) - 1))


@pytest.fixture
def small_world(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """So little is kept, and a page is so small, that a few changes are too many."""
    settings.HEADWAY = {"RECONCILE": 3600}
    monkeypatch.setattr(lists, "_KEPT", 2)
    monkeypatch.setattr(lists, "_AT_MOST_EVERY", 0)
    monkeypatch.setattr(tidings, "ask", lambda: None)
    monkeypatch.setattr(listwatcher, "_PAGE", 2)


@pytest.mark.usefixtures("small_world")
def test_every_list_has_all_runs_as_they_are() -> None:
    run_state_machine_as_test(
        Changes,
        settings=settings(
            max_examples=150,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
