"""The spans of enqueueing and of attempts."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.db import OperationalError
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tasks.engine import store
from tasks.engine.attempts import tracing
from tasks.engine.store import Slot
from tasks.exceptions import RunCancelled, TaskFailed
from tasks.models import TaskEvent
from tasks.testing import running_supervisor
from tests.app import tasks as app
from tests.tasks.runs import started

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What is exported; a provider that is set in earnest would stay for the session."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    yield exporter
    provider.shutdown()


def named(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    (span,) = [span for span in spans.get_finished_spans() if span.name == name]
    return span


async def test_a_run_continues_the_trace_of_its_enqueueing(spans: InMemorySpanExporter) -> None:
    async with running_supervisor() as supervisor:
        handle = await app.add.using(queue_name="sums").aenqueue(1)
        await handle.await_result(20)
        supervisor.drain()
    producer = named(spans, "enqueue tests.app.tasks.add")
    consumer = named(spans, "process tests.app.tasks.add")
    assert (producer.kind, consumer.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert consumer.parent is not None
    assert consumer.parent.span_id == producer.context.span_id
    assert consumer.context.trace_id == producer.context.trace_id
    assert [link.context.span_id for link in consumer.links] == [producer.context.span_id]
    shared = {
        "messaging.system": "headway",
        "messaging.destination.name": "sums",
        "messaging.message.id": handle.id,
        "headway.task": "tests.app.tasks.add",
    }
    operation = {"messaging.operation.name": "enqueue", "messaging.operation.type": "send"}
    assert dict(producer.attributes or {}) == {**shared, **operation}
    operation = {"messaging.operation.name": "process", "messaging.operation.type": "process"}
    end = {"headway.attempt": 1, "headway.ending": "returned"}
    assert dict(consumer.attributes or {}) == {**shared, **operation, **end}


async def test_events_up_to_a_limit(spans: InMemorySpanExporter) -> None:
    async with running_supervisor():
        await (await app.emit.aenqueue(150)).await_result(20)
    events = named(spans, "process tests.app.tasks.emit").events
    assert [event.name for event in events] == ["tick"] * 100
    assert dict(events[99].attributes or {}) == {"headway.event.seq": 102}


@pytest.mark.parametrize(
    ("task", "ending", "error"),
    [
        (app.fail, "raised", "RuntimeError"),
        (app.too_slow, "timed out", "TaskTimeout"),
        (app.sleep, "cancelled", None),
    ],
)
async def test_how_an_attempt_ends(
    spans: InMemorySpanExporter, task: Any, ending: str, error: str | None
) -> None:
    async with running_supervisor():
        handle = await (task.aenqueue(3600) if task is app.sleep else task.aenqueue())
        if task is app.sleep:
            await started(handle)
            await handle.astop()
        with suppress(TaskFailed, RunCancelled):
            await handle.await_result(20)
    span = named(spans, f"process {task.module_path}")
    attributes = span.attributes or {}
    assert (attributes["headway.ending"], attributes.get("error.type")) == (ending, error)
    assert span.status.status_code is (StatusCode.ERROR if error else StatusCode.UNSET)
    assert [event.name for event in span.events if event.name == "exception"] == (
        ["exception"] if error else []
    )


def test_many_at_once_are_a_batch(spans: InMemorySpanExporter) -> None:
    app.add.enqueue_many([((1,), {}), ((2,), {})])
    attributes = named(spans, "enqueue tests.app.tasks.add").attributes or {}
    assert attributes["messaging.batch.message_count"] == 2
    assert "messaging.message.id" not in attributes


def test_an_enqueueing_that_fails_is_an_error(spans: InMemorySpanExporter) -> None:
    with pytest.raises(Exception, match="cannot be called"):
        app.add.enqueue()  # type: ignore[call-arg]
    span = named(spans, "enqueue tests.app.tasks.add")
    assert span.status.status_code is StatusCode.ERROR


def test_a_trace_that_cannot_be_read_keeps_no_run(
    spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("no route to host")

    app.add.enqueue(1)
    claims = store.claim("w", 60, Slot(9))
    (traced,) = tracing.continued(claims)
    assert traced.trace["traceparent"].startswith("00-")
    monkeypatch.setattr(store, "queued_data", away)
    assert tracing.continued(claims) == claims


def test_without_a_provider_nothing_is_kept_or_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "queued_data", pytest.fail)
    handle = app.add.enqueue(1)
    claims = store.claim("w", 60, Slot(9))
    assert tracing.continued(claims) is claims
    assert "traceparent" not in TaskEvent.objects.get(run=handle.run_id, seq=1).data
