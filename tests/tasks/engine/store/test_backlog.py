"""How much waits and runs, as the database has it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tasks.engine import store
from tasks.engine.store import Change, RunWrite, Slot
from tasks.events import new_event
from tasks.models import TaskRun, Worker
from tasks.states import RunStatus
from tests.app import tasks as app
from tests.tasks.runs import claim_one

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
NEAR = 60.0  # seconds a test may take on a loaded machine


def aged(handle: Any, by: timedelta, **fields: Any) -> None:
    then = timezone.now() - by
    given = {"enqueued_at": then, **{name: timezone.now() - ago for name, ago in fields.items()}}
    TaskRun.objects.filter(pk=handle.id).update(**given)


def near(seconds: float) -> Any:
    return pytest.approx(seconds, abs=NEAR)


def test_nothing() -> None:
    assert store.backlog(60) == store.Backlog()


def test_by_queue_whatever_the_priority() -> None:
    mail = app.add.using(queue_name="mail")
    aged(mail.enqueue(1), 3 * HOUR)
    aged(mail.using(priority=9).enqueue(2), HOUR)
    aged(app.add.enqueue(3), 2 * HOUR)
    found = store.backlog(60)
    assert found.waiting == {"mail": 2, "default": 1}
    assert found.latency == {"mail": near(3 * 3600), "default": near(2 * 3600)}


def test_a_run_waits_from_when_it_may_be_claimed() -> None:
    later = app.add.using(run_after=HOUR)
    aged(later.enqueue(1), 5 * HOUR)  # not yet
    assert store.backlog(60).waiting == {}
    aged(later.enqueue(2), 5 * HOUR, run_after=HOUR)  # due, though nobody has noticed
    found = store.backlog(60)
    assert (found.waiting, found.latency) == ({"default": 1}, {"default": near(3600)})
    assert claim_one().waited == near(3600)


def test_a_run_that_is_given_back_waits_anew() -> None:
    aged(app.add.enqueue(1), 5 * HOUR)
    claim = claim_one()
    assert claim.waited == near(5 * 3600)
    back = RunWrite(claim.run_id, claim.fence, [new_event(3, "retrying", None)])
    back.change = Change(RunStatus.READY)
    store.write([back])
    assert store.backlog(60).latency == {"default": near(0)}


def test_running_and_workers() -> None:
    for number in range(3):
        app.add.enqueue(number)
    store.claim("w", 60, Slot(2))
    now = timezone.now()
    common = {"host": "h", "pid": 1, "role": "all", "concurrency": 1, "version": "1", "layer": ""}
    for name, ago in (("live", timedelta(0)), ("silent", HOUR)):
        Worker.objects.create(id=name, started_at=now, seen_at=now - ago, **common)
    found = store.backlog(60)
    assert (found.running, found.waiting, found.workers) == ({"default": 2}, {"default": 1}, 1)
