"""What the engine's statements do to rows: claims, fences, writes, rescue."""

import threading
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connections
from django.db.models import F
from django.utils import timezone

from tasks.engine import store
from tasks.engine.attempts.endings import cancelled_while_waiting, lost_with_its_process
from tasks.engine.store import Change, RunWrite, Slot
from tasks.events import new_event
from tasks.models import TaskEvent, TaskRun
from tasks.states import CancelRequest, RunStatus
from tests.app import tasks as app
from tests.tasks.runs import claim_one

pytestmark = pytest.mark.django_db(transaction=True)


def expire(run_id: UUID | str) -> None:
    TaskRun.objects.filter(pk=run_id).update(lease_expires_at=timezone.now() - timedelta(hours=1))


def tick(claim: store.Claim, seq: int) -> RunWrite:
    return RunWrite(claim.run_id, claim.fence, [new_event(seq, "tick", seq)])


def test_highest_priority_first_then_oldest() -> None:
    low = app.add.using(priority=-1).enqueue(1)
    first, second = app.add.enqueue(2), app.add.enqueue(3)
    high = app.add.using(priority=50).enqueue(4)
    claims = store.claim("w1", 60, Slot(10))
    assert [str(taken.run_id) for taken in claims] == [h.id for h in (high, first, second, low)]
    assert store.claim("w1", 60, Slot(10)) == []


def test_a_limit_takes_the_best() -> None:
    app.add.enqueue(1)
    high = app.add.using(priority=1).enqueue(2)
    assert str(claim_one().run_id) == high.id


def test_queues() -> None:
    app.add.using(queue_name="mail").enqueue(1)
    app.add.enqueue(2)
    assert store.claim("w", 60, Slot(9, only=("images",))) == []
    assert store.claim("w", 60, Slot(9, but=("mail", "default"))) == []
    assert [c.queue_name for c in store.claim("w", 60, Slot(9, only=("mail",)))] == ["mail"]
    assert [c.queue_name for c in store.claim("w", 60, Slot(9, but=("mail",)))] == ["default"]


def test_not_before_its_time() -> None:
    app.add.using(run_after=timedelta(hours=1)).enqueue(1)
    due = app.add.using(run_after=timezone.now() - timedelta(seconds=1)).enqueue(2)
    assert [str(c.run_id) for c in store.claim("w", 60, Slot(9))] == [due.id]


def test_nothing_starts_before_it_was_enqueued() -> None:
    """Not by what a database's clock cuts off either: often it is the same millisecond."""
    for _ in range(50):
        app.add.enqueue(1)
        claim_one()
    assert not TaskRun.objects.filter(started_at__lt=F("enqueued_at")).exists()


def test_a_claim_is_written() -> None:
    app.add.enqueue(1)
    claim = claim_one("worker-7")
    run = TaskRun.objects.get(pk=claim.run_id)
    assert (run.status, run.attempt, run.fence, run.last_seq) == ("RUNNING", 1, 1, 2)
    assert (run.worker_id, run.worker_ids) == ("worker-7", ["worker-7"])
    assert run.started_at is not None
    assert run.lease_expires_at is not None
    assert run.lease_expires_at > timezone.now() + timedelta(seconds=50)
    assert [e.type for e in store.read_events(claim.run_id, 0, 9)] == ["queued", "started"]


def test_claimers_at_once_share_no_run() -> None:
    app.add.enqueue_many([((n,), {}) for n in range(200)])
    taken: list[store.Claim] = []
    start = threading.Barrier(4)

    def work(name: str) -> None:
        start.wait()
        while claims := store.claim(name, 60, Slot(7)):
            taken.extend(claims)
        connections.close_all()

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len({claim.run_id for claim in taken}) == 200


def test_a_write_with_the_fence() -> None:
    app.add.enqueue(1)
    claim = claim_one()
    assert store.write([tick(claim, 3)]) == set()
    assert TaskRun.objects.get(pk=claim.run_id).last_seq == 3


def test_a_write_that_is_repeated_changes_nothing() -> None:
    app.add.enqueue(1)
    claim = claim_one()
    end = tick(claim, 3)
    end.change = Change(RunStatus.SUCCESSFUL, return_value="5", finished_at=timezone.now())
    assert store.write([end]) == set()
    assert store.write([end]) == set()
    assert TaskEvent.objects.filter(run=claim.run_id).count() == 3
    assert TaskRun.objects.get(pk=claim.run_id).return_value == 5


def test_a_write_with_an_old_fence_changes_nothing() -> None:
    app.emit_durably.enqueue(1)
    other = app.emit_durably.enqueue(1)
    old, fine = store.claim("frozen", 60, Slot(2))
    expire(old.run_id)
    (rescued,) = store.rescue(lost_with_its_process)
    assert rescued.run_id == old.run_id
    new = claim_one("awake")
    assert (new.run_id, new.fence, new.attempt) == (old.run_id, 2, 2)
    before = TaskRun.objects.filter(pk=old.run_id).values().get()
    end = tick(old, 3)
    end.change = Change(RunStatus.SUCCESSFUL, return_value="1", finished_at=timezone.now())
    # The sound write of the same transaction goes through.
    assert store.write([end, tick(fine, 3)]) == {old.run_id}
    assert TaskRun.objects.filter(pk=old.run_id).values().get() == before
    assert TaskRun.objects.get(pk=other.id).last_seq == 3
    types = [e.type for e in store.read_events(old.run_id, 0, 99)]
    assert types == ["queued", "started", "retrying", "started"]


def test_renewal_keeps_only_what_is_the_workers() -> None:
    app.add.enqueue_many([((n,), {}) for n in range(3)])
    mine, other, unknown = (claim_one("me"), claim_one("other"), claim_one("me"))
    held = store.renew("me", 60, [mine.run_id, other.run_id])
    assert [(h.run_id, h.fence) for h in held] == [(mine.run_id, mine.fence)]
    assert {h.run_id for h in store.held("me")} == {mine.run_id, unknown.run_id}


def test_rescue_ends_a_run_that_keeps_killing_its_process() -> None:
    handle = app.add.enqueue(1)
    for _ in range(3):
        claim_one()
        expire(handle.id)
        store.rescue(lost_with_its_process)
    run = TaskRun.objects.get(pk=handle.id)
    assert (run.status, run.attempt) == ("FAILED", 3)
    assert [error["type"] for error in run.errors] == ["tasks.exceptions.RunLost"] * 3
    assert TaskEvent.objects.filter(run=run, type="finished").count() == 1


def test_rescue_leaves_the_living_alone() -> None:
    app.add.enqueue(1)
    claim_one()
    assert store.rescue(lost_with_its_process) == []


def test_a_stop_outlives_the_process_that_should_have_obeyed() -> None:
    handle = app.emit_durably.enqueue(1)
    claim_one()
    store.cancel(handle.run_id, CancelRequest.STOP, cancelled_while_waiting)
    expire(handle.id)
    store.rescue(lost_with_its_process)
    assert TaskRun.objects.get(pk=handle.id).status == "CANCELLED"


def test_kill_is_not_taken_back_by_stop() -> None:
    handle = app.add.enqueue(1)
    claim_one()
    for request in (CancelRequest.KILL, CancelRequest.STOP):
        store.cancel(handle.run_id, request, cancelled_while_waiting)
    assert TaskRun.objects.get(pk=handle.id).cancel_requested == "kill"


def test_heads() -> None:
    handles = app.add.enqueue_many([((n,), {}) for n in range(600)])
    found = store.heads([handle.run_id for handle in handles])
    assert len(found) == 600
    assert set(found.values()) == {store.Head(1, "READY")}
