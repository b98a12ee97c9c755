"""All figures as text, in the form that Prometheus reads."""

from functools import cache

from tasks.engine.metrics.library import available

__all__ = ["register", "render", "serve"]


def render(accept: str) -> tuple[bytes, str]:
    """The figures and their media type, as the Accept header prefers. Queries, and blocks."""
    from prometheus_client import REGISTRY
    from prometheus_client.exposition import choose_encoder

    encode, content_type = choose_encoder(accept)
    return encode(REGISTRY), content_type


def serve(host: str, port: int) -> None:
    """Answer ``GET /metrics`` from a daemon thread, to whoever can reach the port.

    ``OSError`` if there is no such address, or it is taken.
    """
    from prometheus_client import start_http_server

    start_http_server(port, host)


@cache
def register() -> None:
    """Add what is looked up at each scrape. Safe to call twice."""
    if not available:
        return
    from prometheus_client import REGISTRY

    from tasks.engine.metrics.process import Process
    from tasks.engine.metrics.whole import Whole

    REGISTRY.register(Process())
    REGISTRY.register(Whole())
