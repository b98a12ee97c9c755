import os
from collections.abc import Sequence

from django.apps import AppConfig
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from tests.chaos.service.marks import leave


class Lines(SpanExporter):
    """A line of JSON for each span that has ended."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for span in spans:
            leave(os.environ["TRACES"], span.to_json(indent=None))
        return SpanExportResult.SUCCESS


class TracedConfig(AppConfig):
    name = "tests.e2e.traced"

    def ready(self) -> None:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(Lines()))
        trace.set_tracer_provider(provider)
