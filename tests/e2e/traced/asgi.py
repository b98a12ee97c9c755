"""The service within a span for each HTTP request, as an instrumentation makes it."""

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from asgi_app.asgi import application as service
from consumers.asgi import Receive, Scope, Send


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        await service(scope, receive, send)
        return
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    parent = TraceContextTextMapPropagator().extract(headers)
    tracer = trace.get_tracer(__name__)
    name = f"{scope['method']} {scope['path']}"
    with tracer.start_as_current_span(name, parent, kind=trace.SpanKind.SERVER):
        await service(scope, receive, send)
