"""OpenTelemetry: a span for the enqueueing, and one for each attempt, in the same trace.

They are made where opentelemetry-api is installed and a tracer provider is set; else
nothing happens. The trace is kept in the run's ``queued`` event, as ``traceparent`` and
``tracestate`` of W3C Trace Context: whatever process claims the run, now or in a year,
finds it in the log.

Names follow the semantic conventions for messaging: a span of kind PRODUCER and one of
kind CONSUMER, which is a link's end, as the conventions demand, and also the producer's
child, as they allow where messages are processed one by one: who looks at a request sees
the runs that it led to. A span is named after its task, which says more than its queue.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from contextvars import Token
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError

from tasks.codec import decode
from tasks.engine import store
from tasks.engine.store import Claim
from tasks.states import Ending

try:
    from opentelemetry import context, trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError:
    trace = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from tasks.engine.attempts.attempt import Attempt
    from tasks.engine.attempts.endings import End

__all__ = ["OFF", "AttemptTrace", "Enqueueing", "begin", "continued", "enqueueing"]

_installed = trace is not None

_EVENTS = 100  # of a run's that become events of its span; SDKs keep 128
_KEYS = ("traceparent", "tracestate")


def _tracer() -> "Tracer | None":
    if not _installed:
        return None
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider):
        return None  # nobody has set one
    return _tracer_of(provider)


@cache
def _tracer_of(provider: Any) -> "Tracer":
    tracer: Tracer = provider.get_tracer("headway")
    return tracer


def _attributes(operation: str, kind: str, task: str, queue_name: str) -> dict[str, Any]:
    return {
        "messaging.system": "headway",
        "messaging.operation.name": operation,
        "messaging.operation.type": kind,
        "messaging.destination.name": queue_name,
        "headway.task": task,
    }


class Enqueueing(AbstractContextManager["Enqueueing"]):
    """The span of an enqueueing; without tracing, nothing."""

    def __init__(self, span: "AbstractContextManager[trace.Span] | None" = None) -> None:
        self._entering = span
        self._span: trace.Span | None = None
        #: What the runs keep of the trace.
        self.carrier: dict[str, str] = {}

    def __enter__(self) -> "Enqueueing":
        if self._entering is not None:
            self._span = self._entering.__enter__()
            TraceContextTextMapPropagator().inject(self.carrier)
        return self

    def __exit__(self, *raised: Any) -> None:
        if self._entering is not None:
            self._entering.__exit__(*raised)

    def stored(self, run_ids: Sequence[UUID]) -> None:
        """Say which runs it was about."""
        if self._span is None:
            return
        if len(run_ids) == 1:
            self._span.set_attribute("messaging.message.id", str(run_ids[0]))
        else:
            self._span.set_attribute("messaging.batch.message_count", len(run_ids))


def enqueueing(task: str, queue_name: str) -> Enqueueing:
    """To be entered around the storing of runs."""
    if (tracer := _tracer()) is None:
        return Enqueueing()
    return Enqueueing(
        tracer.start_as_current_span(
            f"enqueue {task}",
            kind=trace.SpanKind.PRODUCER,
            attributes=_attributes("enqueue", "send", task, queue_name),
        )
    )


def continued(claims: list[Claim]) -> list[Claim]:
    """*claims*, each with the trace that it continues. Queries, if there is tracing."""
    if _tracer() is None or not claims:
        return claims
    try:
        queued = store.queued_data([claim.run_id for claim in claims])
    except (DatabaseError, InterfaceError):
        return claims  # they are taken: without a trace they can be executed as well
    return [replace(claim, trace=_carrier(queued.get(claim.run_id, "{}"))) for claim in claims]


def _carrier(queued: str) -> dict[str, str]:
    data = decode(queued)
    return {key: data[key] for key in _KEYS if key in data}


class _Off:
    """An attempt that nobody traces."""

    def __enter__(self) -> "_Off":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def note(self, type_: str, seq: int) -> None:
        pass

    def ended(self, end: "End | None") -> None:
        pass


OFF = _Off()


class AttemptTrace(_Off):
    """The span of an attempt; as a context manager it is current within."""

    def __init__(self, span: "trace.Span") -> None:
        self._span = span
        self._token: Token[Any] | None = None
        self._left = _EVENTS

    def __enter__(self) -> "AttemptTrace":
        self._token = context.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            context.detach(self._token)
        self._span.end()

    def note(self, type_: str, seq: int) -> None:
        """An event of the run's, without its data. Any thread."""
        self._left -= 1
        if self._left >= 0:
            self._span.add_event(type_, {"headway.event.seq": seq})

    def ended(self, end: "End | None") -> None:
        """How it ended; None: the run is another process's."""
        ending = Ending.LOST if end is None else end.ending
        self._span.set_attribute("headway.ending", str(ending))
        error = None if end is None else end.error
        if ending in (Ending.RAISED, Ending.TIMED_OUT) and error is not None:
            self._span.record_exception(error)
            self._span.set_attribute("error.type", type(error).__qualname__)
        if ending in (Ending.RAISED, Ending.TIMED_OUT, Ending.LOST):
            self._span.set_status(trace.Status(trace.StatusCode.ERROR, str(error or ending)))


def begin(attempt: "Attempt") -> _Off:
    """The trace of *attempt* from here on; to be entered around it."""
    if (tracer := _tracer()) is None:
        return OFF
    claim = attempt.claim
    parent = TraceContextTextMapPropagator().extract(claim.trace, context.Context())
    enqueued = trace.get_current_span(parent).get_span_context()
    span = tracer.start_span(
        f"process {claim.task}",
        context=parent,
        kind=trace.SpanKind.CONSUMER,
        attributes={
            **_attributes("process", "process", claim.task, claim.queue_name),
            "messaging.message.id": str(claim.run_id),
            "headway.attempt": claim.attempt,
        },
        links=[trace.Link(enqueued)] if enqueued.is_valid else (),
    )
    attempt.trace = AttemptTrace(span)
    return attempt.trace
