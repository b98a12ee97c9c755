"""What the engine counts, and what is looked up when somebody reads."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tasks.engine import store
from tasks.engine.metrics import whole
from tasks.engine.metrics.library import _nothing
from tasks.engine.metrics.whole import Whole
from tasks.engine.store import Backlog
from tasks.exceptions import TaskFailed
from tasks.testing import running_supervisor
from tests.app import tasks as app

pytestmark = pytest.mark.django_db(transaction=True)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def ends(task: str, ending: str, status: str) -> float:
    path = f"tests.app.tasks.{task}"
    labels = {"task": path, "queue": "default", "ending": ending, "status": status}
    return value("headway_attempts_total", **labels)


async def test_runs_are_counted_by_how_they_end(settings: Any) -> None:
    settings.HEADWAY = {"BACKOFF": 0.001}
    figures: dict[str, Callable[[], float]] = {
        "returned": lambda: ends("add", "returned", "SUCCESSFUL"),
        "again": lambda: ends("fail_once", "raised", "READY"),
        "at last": lambda: ends("fail_once", "returned", "SUCCESSFUL"),
        "timed out": lambda: ends("too_slow", "timed out", "FAILED"),
        "enqueued": lambda: value("headway_runs_enqueued_total", queue="default"),
        "waits": lambda: value("headway_run_wait_seconds_count", queue="default"),
        "durations": lambda: value("headway_attempt_duration_seconds_count", queue="default"),
    }
    before = {name: read() for name, read in figures.items()}
    committed = value("headway_events_committed_total")
    async with running_supervisor():
        handles = [await app.add.aenqueue(1), await app.fail_once.aenqueue()]
        handles.append(await app.too_slow.aenqueue())
        await handles[0].await_result(20)
        await handles[1].await_result(20)
        with pytest.raises(TaskFailed, match="TaskTimeout"):
            await handles[2].await_result(20)
        assert value("headway_process_capacity") == 200
    assert value("headway_process_capacity") == 0  # nobody executes here any more
    grown = {name: read() - before[name] for name, read in figures.items()}
    once = dict.fromkeys(("returned", "again", "at last", "timed out"), 1)
    assert grown == {**once, "enqueued": 3, "waits": 4, "durations": 4}
    assert value("headway_events_committed_total") - committed == 4  # finished, and one retrying


def test_a_known_queue_is_at_zero() -> None:
    app.add.using(queue_name="mail").enqueue(1)
    registry = fresh()
    for name in ("headway_runs_waiting", "headway_queue_latency_seconds"):
        mail, default = (
            registry.get_sample_value(name, {"queue": queue}) for queue in ("mail", "default")
        )
        assert default == 0
        assert mail is not None
        assert 0 < mail < 60


def test_all_are_in_the_registry_of_the_library() -> None:
    names = {family.name for family in text_string_to_metric_families(generate_latest().decode())}
    assert names >= {"headway_attempts", "headway_workers", "process_cpu_seconds"}


def sample(registry: CollectorRegistry, name: str) -> float | None:
    return registry.get_sample_value(name)


def fresh() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(Whole())
    return registry


def test_the_database_is_asked_once_for_many_scrapes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def counting(silence: float) -> Backlog:
        asked.append(silence)
        return Backlog(workers=7)

    monkeypatch.setattr(store, "backlog", counting)
    registry = fresh()
    assert not asked  # by registering
    assert [sample(registry, "headway_workers") for _ in range(3)] == [7, 7, 7]
    assert len(asked) == 1


def test_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(silence: float) -> Backlog:
        raise OperationalError("no route to host")

    monkeypatch.setattr(store, "backlog", away)
    registry = fresh()
    assert sample(registry, "headway_database_readable") == 0
    assert sample(registry, "headway_workers") is None


def test_a_database_that_hangs_is_not_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answer = [], threading.Event()

    def hangs(silence: float) -> Backlog:
        asked.append(1)
        answer.wait(20)
        return Backlog(workers=3)

    monkeypatch.setattr(store, "backlog", hangs)
    monkeypatch.setattr(whole, "_PATIENCE", 0.01)
    registry = fresh()
    assert [sample(registry, "headway_database_readable") for _ in range(3)] == [0, 0, 0]
    answer.set()
    monkeypatch.setattr(whole, "_PATIENCE", 20)
    assert sample(registry, "headway_workers") == 3
    assert len(asked) == 1


def test_stand_ins_take_every_call() -> None:
    _nothing.labels("a", "b").inc(2)
    _nothing.labels("a").observe(0.1)
    _nothing.dec()
    with _nothing.time():
        pass
