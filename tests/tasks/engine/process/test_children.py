"""Keeping the engine's coroutines running: again after each failure, unless it is for good."""

import pytest
from django.db import OperationalError

from tasks.engine.process import children
from tasks.engine.process.children import Child, ChildFailed, keep_running
from tasks.engine.supervisor import Supervisor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_FIRST_PAUSE", 0.001)


async def test_a_child_that_fails_is_served_again(no_pause: None) -> None:
    times = 0

    async def serve() -> None:
        nonlocal times
        times += 1
        if times < 4:
            raise ValueError("once more")

    await keep_running(Child("fragile", serve))
    assert times == 4


async def test_a_child_that_keeps_failing_ends_the_supervisor(no_pause: None) -> None:
    async def serve() -> None:
        raise ValueError("for good")

    supervisor = Supervisor(execute=False, children=[Child("broken", serve)])
    with pytest.raises(ChildFailed, match=r"broken.*for good"):
        await supervisor.serve()


async def test_an_absent_database_is_waited_for(
    no_pause: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "_LONGEST_PAUSE", 0.001)
    times = 0

    async def serve() -> None:
        nonlocal times
        times += 1
        if times < 50:
            raise OperationalError("server closed the connection")

    await keep_running(Child("journal", serve))
    assert times == 50
