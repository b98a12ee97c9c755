"""Groups of writes: small and large ones, what they carry, and who else has the rows."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.utils import timezone

from tasks.codec import encode
from tasks.engine import store
from tasks.engine.attempts.endings import lost_with_its_process
from tasks.engine.store import Change, Claim, RunWrite, Slot
from tasks.events import new_event
from tasks.models import TaskEvent, TaskRun
from tasks.states import RunStatus
from tests.app import tasks as app

pytestmark = pytest.mark.django_db(transaction=True)

# PostgreSQL writes a few with one statement, and many with COPY.
sizes = pytest.mark.parametrize("size", [1, 70])

ODD = [
    "a\tb\\c\nd\r\\.",
    "\\N",
    "",
    "NULL",
    "{}",
    '"}',
    "\0",
    "\x1a",
    "ü€😀\u2028",
    "%s %(x)s 100%",
]


def claims(number: int) -> list[Claim]:
    app.add.enqueue_many([((n,), {}) for n in range(number)])
    return store.claim("w", 60, Slot(number))


def tick(claim: Claim, *, fence: int = 0) -> RunWrite:
    seq = claim.started.seq + 1
    return RunWrite(claim.run_id, fence or claim.fence, [new_event(seq, "tick", ODD)], encode(ODD))


def ended(claim: Claim) -> RunWrite:
    write = tick(claim)
    write.change = Change(
        RunStatus.FAILED, error=encode({"message": ODD}), finished_at=timezone.now()
    )
    return write


@sizes
def test_every_text_comes_back_as_it_went(size: int) -> None:
    taken = claims(size)
    assert store.write([ended(claim) for claim in taken]) == set()
    runs = TaskRun.objects.all()
    assert len(runs) == size
    for run in runs:
        assert (run.status, run.worker_id, run.lease_expires_at) == ("FAILED", "", None)
        assert (run.last_seq, run.progress, run.errors) == (3, ODD, [{"message": ODD}])
        assert store.read_events(run.id, 2, 9)[0].data == encode(ODD)


@sizes
def test_errors_add_up(size: int) -> None:
    for attempt in range(3):
        for claim in claims(size) if attempt == 0 else store.claim("w", 60, Slot(size)):
            write = tick(claim)
            write.change = Change(RunStatus.READY, error=encode(attempt))
            assert store.write([write]) == set()
    assert {tuple(run.errors) for run in TaskRun.objects.all()} == {(0, 1, 2)}


@sizes
def test_only_what_holds_its_run_is_written(size: int) -> None:
    taken = claims(size + 1)
    odd, *rest = taken
    writes = [tick(odd, fence=7), *map(tick, rest)]
    for _ in range(2):  # a call whose answer was lost is repeated
        assert store.write(writes) == {odd.run_id}
        assert TaskEvent.objects.filter(type="tick").count() == size
        assert TaskRun.objects.get(pk=odd.run_id).last_seq == 2


@sizes
def test_a_write_that_comes_after_a_rescue_is_not_taken_for_written(size: int) -> None:
    """The rescuer's event has the number of the late one, and the run the same fence still."""
    taken = claims(size)
    TaskRun.objects.update(lease_expires_at=timezone.now() - timedelta(hours=1))
    rescued = store.rescue(lost_with_its_process)
    before = list(TaskEvent.objects.order_by("run", "seq").values_list())

    assert store.write([tick(claim) for claim in taken]) == {claim.run_id for claim in taken}

    assert list(TaskEvent.objects.order_by("run", "seq").values_list()) == before
    # What was written, and only its answer lost, counts as held.
    assert store.write(rescued) == set()


@sizes
def test_an_uncounted_attempt(size: int) -> None:
    writes = []
    for claim in claims(size):
        writes.append(tick(claim))
        writes[-1].change = Change(RunStatus.READY, counted=False)
    assert store.write(writes) == set()
    assert {run.attempt for run in TaskRun.objects.all()} == {0}


def alongside(*functions: Callable[[], None]) -> None:
    """Run *functions* in threads of their own; the first failure is raised."""
    failures: list[BaseException] = []

    def call(function: Callable[[], None]) -> None:
        try:
            function()
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@sizes
def test_a_write_waits_for_who_has_the_row_and_keeps_what_they_wrote(size: int) -> None:
    taken = claims(size)
    locked = threading.Event()

    def stop() -> None:
        with transaction.atomic():
            TaskRun.objects.update(cancel_requested="stop")
            locked.set()
            writer.join(0.1)  # it cannot end: a moment in which it would, without the lock
            assert writer.is_alive()

    def write() -> None:
        locked.wait()
        assert store.write([tick(claim) for claim in taken]) == set()
        connections.close_all()

    writer = threading.Thread(target=write)
    writer.start()
    alongside(stop)
    writer.join()
    found = {(run.cancel_requested, run.last_seq) for run in TaskRun.objects.all()}
    assert found == {("stop", 3)}


def test_renewals_and_writes_do_not_lock_each_other_out() -> None:
    taken = claims(60)

    def renew() -> None:
        for _ in range(30):
            held = store.renew("w", 60, [claim.run_id for claim in reversed(taken)])
            assert len(held) == 60

    def write() -> None:
        for seq in range(3, 33):
            events = [new_event(seq, "tick", None)]
            assert store.write([RunWrite(c.run_id, c.fence, events) for c in taken]) == set()

    alongside(renew, write)
