"""What is claimed first, and that it costs the same however much else there is."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from tasks.engine import store
from tasks.engine.store import Change, RunWrite, Slot
from tasks.events import new_event
from tasks.models import TaskRun
from tasks.states import RunStatus
from tests.app import tasks as app
from tests.tasks.backlog import fill
from tests.tasks.runs import claim_one

pytestmark = pytest.mark.django_db(transaction=True)

postgres_only = pytest.mark.servers  # it is about PostgreSQL's planner


def enqueue(queue_name: str, priority: int) -> None:
    app.add.using(queue_name=queue_name, priority=priority).enqueue(1)


def taken(slot: Slot) -> list[tuple[str, int]]:
    return [(claim.queue_name, claim.priority) for claim in store.claim("w", 60, slot)]


def test_priorities_hold_across_queues() -> None:
    for queue_name, priority in [("b", 0), ("a", 5), ("b", 7), ("c", 6), ("a", -1), ("b", -2)]:
        enqueue(queue_name, priority)
    assert taken(Slot(4)) == [("b", 7), ("c", 6), ("a", 5), ("b", 0)]
    assert taken(Slot(9)) == [("a", -1), ("b", -2)]


def test_queues_of_one_priority_take_turns_by_age() -> None:
    for queue_name in ("b", "a", "b", "c"):
        enqueue(queue_name, 0)
    assert [taken(Slot(1))[0][0] for _ in range(4)] == ["b", "a", "b", "c"]


def test_a_slot_sees_its_own_queues_alone() -> None:
    for queue_name in ("a", "b", "c", "d"):
        enqueue(queue_name, 0)
    assert taken(Slot(9, only=("b", "d", "z"))) == [("b", 0), ("d", 0)]
    assert taken(Slot(9, but=("a",))) == [("c", 0)]


def test_a_deferred_run_takes_its_place_when_its_time_has_come() -> None:
    enqueue("default", 1)
    soon = timezone.now() + timedelta(hours=1)
    later = app.add.using(run_after=soon, priority=9, queue_name="a").enqueue(1)
    assert TaskRun.objects.get(pk=later.id).deferred
    assert taken(Slot(9)) == [("default", 1)]
    enqueue("default", 1)
    TaskRun.objects.filter(pk=later.id).update(run_after=timezone.now() - timedelta(seconds=1))
    assert taken(Slot(9)) == [("a", 9), ("default", 1)]
    assert not TaskRun.objects.get(pk=later.id).deferred


@pytest.mark.parametrize("delay", [0.0, 3600.0])
def test_what_is_given_back_waits_for_its_delay(delay: float) -> None:
    app.add.enqueue(1)
    claim = claim_one()
    back = RunWrite(claim.run_id, claim.fence, [new_event(3, "retrying", None)])
    back.change = Change(RunStatus.READY, delay=delay)
    assert store.write([back]) == set()
    run = TaskRun.objects.get(pk=claim.run_id)
    assert run.deferred == (delay > 0)
    assert run.run_after is not None
    assert abs((run.run_after - timezone.now()).total_seconds() - delay) < 60
    assert len(store.claim("w", 60, Slot(9))) == (0 if delay else 1)


def deferred(number: int) -> None:
    future = timezone.now() + timedelta(days=1)
    fill(number, deferred="TRUE", run_after=f"'{future:%Y-%m-%d %H:%M:%S+00:00}'", priority="9")


def forgotten(number: int) -> None:
    """The planner last looked when all was done."""
    fill(number, status="'SUCCESSFUL'")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE headway_run")
    fill(number)


BACKLOGS: dict[str, Callable[[int], None]] = {
    "finished": lambda number: fill(number, status="'SUCCESSFUL'"),
    "waiting": fill,
    "deferred": deferred,
    "elsewhere": lambda number: fill(number, queue_name="'mail'", priority="9"),
    "forgotten": forgotten,
}


def cost(backlog: Callable[[int], None], number: int) -> float:
    """Seconds of a claim with so many rows about: the least of some, as noise only adds."""
    TaskRun.objects.all().delete()
    backlog(number)
    fill(400)
    spent = []
    for _ in range(20):
        start = time.perf_counter()
        claims = store.claim("w", 60, Slot(10, but=("mail",)))
        spent.append(time.perf_counter() - start)
        assert len(claims) == 10
    return min(spent)


@pytest.mark.parametrize(
    "backlog",
    [
        "finished",
        "waiting",
        "deferred",
        "elsewhere",
        pytest.param("forgotten", marks=postgres_only),
    ],
)
@pytest.mark.soak  # it takes time, and it is about time
@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [30_000, 1_000_000])
def test_a_backlog_costs_nothing(backlog: str, number: int) -> None:
    few = cost(BACKLOGS[backlog], 1000)
    assert cost(BACKLOGS[backlog], number) < 1.5 * few


@postgres_only
def test_dead_entries_of_the_index_are_cleared_often() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'headway_run'")
        [[options]] = cursor.fetchall()
    assert "autovacuum_vacuum_scale_factor=0.01" in options
