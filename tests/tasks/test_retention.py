"""Which finished runs go, which never do, and what the rules of the setting mean."""

import threading
import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from hypothesis import given
from hypothesis import strategies as st

from tasks import retention
from tasks.conf import problems
from tasks.engine import pruning, store
from tasks.engine.pruning import prune
from tasks.ids import first_id_at, new_run_id
from tasks.models import TaskEvent, TaskRun
from tasks.retention import Rule, choose, rules
from tasks.states import TERMINAL
from tasks.testing import running_supervisor
from tests.tasks.runs import until

STATUSES = sorted(TERMINAL)
QUEUES = ["default", "mail"]
database = pytest.mark.django_db(transaction=True)

some_rules = st.lists(
    st.builds(
        Rule,
        queue=st.none() | st.sampled_from(QUEUES),
        status=st.none() | st.sampled_from(STATUSES),
        days=st.none() | st.integers(1, 9),
        runs=st.none() | st.integers(0, 9),
    ),
    unique_by=lambda rule: (rule.queue, rule.status),
)


@given(some_rules, st.randoms(use_true_random=False))
def test_the_most_specific_rule_counts_alone(among: list[Rule], random: Any) -> None:
    by_scope = {(rule.queue, rule.status): rule for rule in among}
    random.shuffle(among)
    for queue in (*QUEUES, "other"):
        for status in STATUSES:
            scopes = [(queue, status), (queue, None), (None, status), (None, None)]
            first = next((by_scope[scope] for scope in scopes if scope in by_scope), None)
            if first is not None and first.days is None and first.runs is None:
                first = None
            assert choose(among, queue, status) == first


@pytest.mark.parametrize(
    "value",
    [
        7,
        {"days": 7},
        [{"day": 7}],
        [{"days": 0}],
        [{"days": True}],
        [{"days": "7"}],
        [{"runs": -1}],
        [{"runs": 1.5}],
        [{"status": "RUNNING", "days": 1}],
        [{"queue": "", "days": 1}],
        [{"days": 1}, {"runs": 1}],
    ],
)
def test_a_setting_that_makes_no_rules_is_named(value: object) -> None:
    (problem,) = problems({"RETENTION": value})
    assert problem.startswith("HEADWAY['RETENTION'] must be a list of dicts with the keys queue")


@pytest.mark.parametrize("value", [None, [], retention.DEFAULT, [{"queue": "mail"}]])
def test_a_setting_that_makes_rules(value: Any) -> None:
    assert problems({"RETENTION": value}) == []
    assert len(rules(value)) == len(value or [])


def finished(days: float = 0.0, *, waited: float = 0.0, events: int = 3, **fields: Any) -> TaskRun:
    """A run that ended so many days ago, after it had waited for so many."""
    end = datetime.now(UTC) - timedelta(days=days)
    enqueued = end - timedelta(days=waited)
    low = new_run_id().int & ((1 << 76) - 1)
    made = {
        "id": UUID(int=first_id_at(enqueued).int & ~((1 << 76) - 1) | low),
        "task": "tests.app.tasks.add",
        "status": "SUCCESSFUL",
        "enqueued_at": enqueued,
        "finished_at": end,
        "last_seq": events,
    }
    run = TaskRun.objects.create(**made | fields)
    TaskEvent.objects.bulk_create(
        TaskEvent(run=run, seq=seq, type="t", at=end, data="null") for seq in range(1, events + 1)
    )
    return run


def left() -> set[UUID]:
    """The runs that are left; each with its whole log, and no event without its run."""
    for run in TaskRun.objects.all():
        assert run.events.count() == run.last_seq
    ids = set(TaskRun.objects.values_list("id", flat=True))
    assert set(TaskEvent.objects.values_list("run_id", flat=True)) <= ids
    return ids


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
@pytest.mark.parametrize("runs", [None, 5])
def test_the_index_leads_to_what_is_due(runs: int | None) -> None:
    if connection.vendor != "sqlite":  # which plans by statistics, of which there are none
        return
    finished(9)
    (what,) = store.due("default", "SUCCESSFUL", days=None if runs else 1, runs=0 if runs else None)
    clause, parameters = store.retention._where(what)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN SELECT id {clause} ORDER BY id LIMIT 1", parameters)
        plan = str(cursor.fetchall())
    assert "headway_run_done (queue_name=? AND status=? AND id<?)" in plan
    assert "TEMP B-TREE" not in plan


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("headway_prune", *arguments, stdout=out)
    return out.getvalue()


@database
def test_the_command_goes_by_the_settings(settings: Any) -> None:
    settings.HEADWAY = {"RETENTION": [{"days": 5}]}
    young = finished(4)
    finished(6)
    assert command("--dry-run") == "Would delete 1 finished runs.\n"
    assert len(left()) == 2
    assert command() == "Deleted 1 finished runs.\n"
    assert left() == {young.pk}


@database
def test_the_command_goes_by_its_arguments() -> None:
    kept = [finished(4, queue_name="mail"), finished(4, status="FAILED"), finished(1)]
    finished(4)
    chosen = ("--days", "2", "--queue", "default", "--status", "SUCCESSFUL")
    assert command(*chosen, "--dry-run") == "Would delete 1 finished runs.\n"
    assert command(*chosen) == "Deleted 1 finished runs.\n"
    assert left() == {run.pk for run in kept}
    assert command("--runs", "0", "--days", "2", "--dry-run") == "Would delete 3 finished runs.\n"
    assert command("--runs", "0") == "Deleted 3 finished runs.\n"


@pytest.mark.parametrize(
    "arguments",
    [("--days", "x"), ("--days", "0"), ("--runs", "-1"), ("--queue", "a"), ("--status", "READY")],
)
def test_the_command_says_what_is_right(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="days"):
        command(*arguments)


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
