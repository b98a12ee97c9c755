"""What a reader of changes sees, while others write: on the databases as they are."""

import random
import threading
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from django.db.models import F

from tasks.engine import store
from tasks.engine.attempts.endings import cancelled_while_waiting
from tasks.engine.store import Change, Horizon, RunWrite, Wanted
from tasks.events import new_event
from tasks.handles import Handle
from tasks.models import TaskRun
from tasks.states import CancelRequest, RunStatus
from tests.app import tasks as app
from tests.stacks import rng, show
from tests.tasks.runs import claim_one

__all__ = ["rng", "show"]

pytestmark = pytest.mark.django_db(transaction=True)

NOTHING_SEEN = Horizon(0)


class Reader:
    """Looks from horizon to horizon, as a list does."""

    def __init__(self) -> None:
        self.horizon = store.horizon()

    def look(self) -> list[UUID]:
        now = store.horizon()
        found = store.changed_runs(self.horizon, now, 1000)
        self.horizon, before = now, self.horizon
        assert not any(before.sees(run.changed) for run in found)
        return [run.pk for run in found if now.sees(run.changed)]


def test_each_change_of_a_state_is_seen_once() -> None:
    reader = Reader()
    handle = app.add.enqueue(1)
    assert reader.look() == [handle.run_id]
    claim = claim_one()
    assert reader.look() == [handle.run_id]
    write = RunWrite(claim.run_id, claim.fence, [new_event(3, "step", None)], progress="1")
    store.write([write])
    assert reader.look() == []  # no change of its state
    store.cancel(handle.run_id, CancelRequest.STOP, cancelled_while_waiting)
    assert reader.look() == [handle.run_id]
    store.cancel(handle.run_id, CancelRequest.STOP, cancelled_while_waiting)
    assert reader.look() == []  # it was asked already
    ignored = RunWrite(claim.run_id, claim.fence, [new_event(4, "stopping", None)])
    ignored.stop_ignored = True
    store.write([ignored])
    assert reader.look() == [handle.run_id]
    again = [new_event(5, "retrying", None)]
    store.write([RunWrite(claim.run_id, claim.fence, again, change=Change(RunStatus.READY))])
    assert reader.look() == [handle.run_id]
    claim = claim_one()
    assert reader.look() == [handle.run_id]
    end = [new_event(7, "finished", None)]
    store.write([RunWrite(claim.run_id, claim.fence, end, change=Change(RunStatus.FAILED))])
    assert reader.look() == [handle.run_id]
    assert reader.look() == []


def test_many_at_once() -> None:
    reader = Reader()
    ids = {handle.run_id for handle in app.add.enqueue_many([((n,), {}) for n in range(40)])}
    assert set(reader.look()) == ids
    for run_id in ids:
        store.cancel(run_id, CancelRequest.STOP, cancelled_while_waiting)
    assert set(reader.look()) == ids
    assert reader.look() == []


def test_what_is_rolled_back_was_nothing() -> None:
    reader = Reader()
    with transaction.atomic():
        app.add.enqueue(1)
        transaction.set_rollback(True)
    assert reader.look() == []


def test_a_number_is_not_used_again_when_its_run_is_gone() -> None:
    handle = app.add.enqueue(1)
    if connection.vendor == "sqlite":  # a run outlives its last change by a minute
        TaskRun.objects.filter(pk=handle.id).update(changed=F("changed") - 60_000_000)
    reader = Reader()
    TaskRun.objects.filter(pk=handle.id).delete()
    assert reader.look() == []
    assert reader.look() == []
    other = app.add.enqueue(2)
    assert reader.look() == [other.run_id]


@pytest.mark.servers
def test_who_commits_late_is_not_overlooked() -> None:
    """The earlier number comes after a later one has been read, and a look in between."""
    reader = Reader()
    begun, go_on = threading.Event(), threading.Event()
    late: list[Handle] = []

    def enqueue_slowly() -> None:
        try:
            with transaction.atomic():
                late.append(app.add.enqueue(1))
                begun.set()
                go_on.wait(20)
        finally:
            connections.close_all()

    thread = threading.Thread(target=enqueue_slowly)
    thread.start()
    begun.wait(20)
    early = app.add.enqueue(2)
    assert reader.look() == [early.run_id]
    assert reader.look() == []
    numbers = reader.horizon
    go_on.set()
    thread.join()
    assert reader.look() == [late[0].run_id]
    assert reader.look() == []
    changed = TaskRun.objects.get(pk=late[0].id).changed
    assert changed in numbers.open, "It was under way, and below what was seen."


def test_writers_beside_a_reader(rng: random.Random) -> None:
    """Each of many threads changes runs of its own; a reader knows all of them in the end."""
    reader = Reader()
    known: dict[UUID, int] = {}
    seeds = [rng.random() for _ in range(4)]
    threads = [threading.Thread(target=_write, args=(random.Random(seed),)) for seed in seeds]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        known |= _states(reader)
    known |= _states(reader)
    assert known == dict(TaskRun.objects.values_list("pk", "last_seq"))
    assert len(known) >= 4 * 10


def _states(reader: Reader) -> dict[UUID, int]:
    now = store.horizon()
    found = store.changed_runs(reader.horizon, now, 1000)
    reader.horizon = now
    return {run.pk: run.last_seq for run in found if now.sees(run.changed)}


def _write(rng: random.Random) -> None:
    try:
        for _ in range(10):
            with transaction.atomic():
                handles = [app.add.enqueue(n) for n in range(rng.randint(1, 3))]
                if rng.random() < 0.3:
                    transaction.set_rollback(True)
                    continue
            for handle in handles:
                if rng.random() < 0.5:
                    store.cancel(handle.run_id, CancelRequest.STOP, cancelled_while_waiting)
    finally:
        connections.close_all()


def test_a_restored_database_has_no_news_of_the_future() -> None:
    handle = app.add.enqueue(1)
    reader = Reader()
    if connection.vendor == "postgresql":
        TaskRun.objects.filter(pk=handle.id).update(changed=2**62)
        assert reader.look() == []


def _all(runs: Any) -> Any:
    return runs


def test_lists_by_kind() -> None:
    mail = app.add.using(queue_name="mail", metadata={"shop": 7, "a__b": "x", "test": True})
    one, two = mail.enqueue(1), app.add.enqueue(2)
    three = app.emit.using(metadata={"shop": "7"}).enqueue(1)
    store.cancel(two.run_id, CancelRequest.STOP, cancelled_while_waiting)

    def ids(**given: Any) -> list[UUID]:
        wanted = Wanted(**given)
        found = store.newest_ids(wanted, _all, 10)
        changed = store.changed_ids(wanted, _all, NOTHING_SEEN, store.horizon())
        assert set(found) <= set(changed)
        runs = store.fetch_runs(found)
        assert [run.pk for run in runs if wanted.has(run)] == found
        return found

    assert ids() == [three.run_id, two.run_id, one.run_id]
    assert ids(queues=("mail",)) == [one.run_id]
    assert ids(tasks=(app.emit.module_path,)) == [three.run_id]
    assert ids(statuses=("CANCELLED",)) == [two.run_id]
    assert ids(metadata=(("shop", (7,)),)) == [one.run_id]
    assert ids(metadata=(("shop", ("7",)),)) == [three.run_id]
    assert ids(metadata=(("shop", ("7", 7)),)) == [three.run_id, one.run_id]
    assert ids(metadata=(("a__b", ("x",)), ("test", (True,)))) == [one.run_id]
    assert ids(metadata=(("shop", (7,)), ("test", (False,)))) == []
    assert ids(metadata=(("none", ("x",)),)) == []
    assert store.newest_ids(Wanted(), _all, 1) == [three.run_id]
