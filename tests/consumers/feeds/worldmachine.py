"""What rules that play a world have in common, whatever happens there."""

from collections.abc import Sized
from typing import Any, Generic, Protocol, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, run_state_machine_as_test

__all__ = ["WorldMachine", "place_in", "play", "toggle", "turns"]

#: How many turns of the loop follow.
turns = st.sampled_from([0, 1, 2, 3, 10])


class World(Protocol):
    def check(self) -> None: ...
    def finish(self) -> None: ...
    def close(self) -> None: ...


W = TypeVar("W", bound=World)


class WorldMachine(RuleBasedStateMachine, Generic[W]):
    """Checks its world after each rule, and what has become of it in the end."""

    world: W

    @invariant()
    def nothing_is_wrong(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        try:
            self.world.finish()
        finally:
            self.world.close()


def toggle(reader: Any) -> None:
    """Let who reads stop, or go on."""
    if reader.reading.is_set():
        reader.reading.clear()
    else:
        reader.reading.set()


def place_in(data: st.DataObject, things: Sized) -> int:
    """The place of one of them."""
    return data.draw(st.integers(0, len(things) - 1))


def play(machine: Any, games: int = 150) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=games,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
