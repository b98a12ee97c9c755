"""Which finished runs are deleted, in what portions, and which never."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections, transaction

from tasks.engine import store
from tasks.engine.upkeep import pruning
from tasks.engine.upkeep.pruning import prune
from tasks.models import TaskRun
from tasks.settings.retention import Rule
from tasks.states import TERMINAL
from tasks.testing import running_supervisor
from tests.tasks.old import finished, left
from tests.tasks.runs import until

STATUSES = sorted(TERMINAL)
QUEUES = ["default", "mail"]
database = pytest.mark.django_db(transaction=True)


def go(*given_rules: Rule) -> int:
    return prune(given_rules, lambda _: None)


@database
def test_by_age() -> None:
    young, old = finished(6.9), finished(7.1)
    assert go(Rule(days=7)) == 1
    assert left() == {young.pk}
    assert old.pk != young.pk


@database
def test_age_counts_from_the_end_and_not_from_the_queue() -> None:
    kept = [finished(1, waited=30).pk, finished(1).pk]
    finished(9)
    assert go(Rule(days=7)) == 1
    assert left() == set(kept)


@database
def test_by_count_the_newest_are_kept_of_each_queue_and_status() -> None:
    kept = set()
    for queue_name in QUEUES:
        for status in STATUSES:
            runs = [finished(9 - n, queue_name=queue_name, status=status) for n in range(5)]
            kept |= {run.pk for run in runs[-2:]}
    assert go(Rule(runs=2)) == 3 * 6
    assert left() == kept


@database
def test_each_queue_and_status_has_its_rule() -> None:
    mail, failed, other = (
        finished(3, queue_name="mail"),
        finished(3, status="FAILED"),
        finished(3),
    )
    assert go(Rule(days=1), Rule(queue="mail"), Rule(status="FAILED", days=30)) == 1
    assert left() == {mail.pk, failed.pk}
    assert other.pk not in left()


@database
def test_what_has_not_finished_is_left() -> None:
    kept = {finished(99, status=status, finished_at=None).pk for status in ("READY", "RUNNING")}
    assert go(Rule(days=1, runs=0)) == 0
    assert left() == kept


@database
def test_what_has_just_finished_is_left() -> None:
    just = finished(59 / 86_400)
    finished(62 / 86_400)
    assert go(Rule(runs=0)) == 1
    assert left() == {just.pk}


@database
def test_what_is_watched_is_left_until_it_is_not() -> None:
    watched, other = finished(9), finished(9)
    assert store.keep([watched.pk, uuid4()]) == {watched.pk}
    assert go(Rule(runs=0)) == 1
    assert left() == {watched.pk}
    TaskRun.objects.update(watched_until=datetime.now(UTC) - timedelta(seconds=1))
    assert go(Rule(runs=0)) == 1
    assert store.keep([watched.pk, other.pk]) == set()


@database
def test_a_mark_is_renewed_when_half_of_it_is_over(django_assert_num_queries: Any) -> None:
    run = finished(9)

    def mark() -> datetime | None:
        store.keep([run.pk])
        return TaskRun.objects.get(pk=run.pk).watched_until

    first = mark()
    assert first is not None
    assert abs((first - datetime.now(UTC)).total_seconds() - 60) < 5
    with django_assert_num_queries(1):
        store.keep([run.pk])
    assert mark() == first
    TaskRun.objects.update(watched_until=datetime.now(UTC) + timedelta(seconds=29))
    again = mark()
    assert again is not None
    assert again >= first


@database
def test_batches_are_small() -> None:
    small = [finished(9, events=10) for _ in range(7)]
    large = finished(8, events=100)
    (due,) = store.due("default", "SUCCESSFUL", days=1, runs=None)
    assert store.prune(due, runs=3, events=1000) == 3
    assert store.prune(due, runs=99, events=25) == 2
    assert store.prune(due, runs=99, events=25) == 2
    assert left() == {large.pk}
    assert store.prune(due, runs=99, events=25) == 1  # one is larger than a batch
    assert store.prune(due, runs=99, events=25) == 0
    assert len(small) == 7


@database
def test_a_pause_can_end_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "_RUNS", 2)
    for _ in range(5):
        finished(9)
    pauses: list[float] = []

    def pause(seconds: float) -> bool:
        pauses.append(seconds)
        return len(pauses) == 2

    assert prune([Rule(days=1)], pause) == 4
    assert len(left()) == 1
    assert all(seconds > 0 for seconds in pauses)


@database
@pytest.mark.servers
def test_one_process_deletes_at_a_time_and_none_waits() -> None:
    finished(9)
    holding, leaving = threading.Event(), threading.Event()

    def other() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (store.retention._LOCK,))
            holding.set()
            leaving.wait(20)
        connections.close_all()

    thread = threading.Thread(target=other)
    thread.start()
    holding.wait(20)
    began = time.monotonic()
    assert go(Rule(days=1)) == 0
    assert time.monotonic() - began < 5
    leaving.set()
    thread.join()
    assert go(Rule(days=1)) == 1


@database
@pytest.mark.servers
def test_a_mark_that_comes_between_looking_and_locking_is_seen() -> None:
    run = finished(9)
    marked, committed = threading.Event(), threading.Event()

    def watcher() -> None:
        with transaction.atomic():
            store.keep([run.pk])
            marked.set()
            committed.wait(20)
        connections.close_all()

    thread = threading.Thread(target=watcher)
    thread.start()
    marked.wait(20)
    assert go(Rule(days=1)) == 0  # the row is locked: passed over
    committed.set()
    thread.join()
    assert go(Rule(days=1)) == 0
    assert left() == {run.pk}


@database
@pytest.mark.embedded  # PostgreSQL plans by statistics, of which there are none
@pytest.mark.parametrize("runs", [None, 5])
def test_the_index_leads_to_what_is_due(runs: int | None) -> None:
    finished(9)
    (what,) = store.due("default", "SUCCESSFUL", days=None if runs else 1, runs=0 if runs else None)
    clause, parameters = store.retention._where(what)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN SELECT id {clause} ORDER BY id LIMIT 1", parameters)
        plan = str(cursor.fetchall())
    assert "headway_run_done (queue_name=? AND status=? AND id<?)" in plan
    assert "TEMP B-TREE" not in plan


@database
async def test_executing_processes_delete_by_themselves(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HEADWAY = {"RETENTION": [{"days": 1}]}
    monkeypatch.setattr(pruning, "_EVERY", 0.05)
    calls = 0
    real = store.finished_queues

    def fails_at_first() -> list[str]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RuntimeError("told to")
        return real()

    monkeypatch.setattr(store, "finished_queues", fails_at_first)
    old = await sync_to_async(finished)(2)

    async def gone() -> bool:
        return not await TaskRun.objects.filter(pk=old.pk).aexists()

    async with running_supervisor():
        await until(gone)
    assert calls > 1
