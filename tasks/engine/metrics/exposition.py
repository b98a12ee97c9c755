"""Where Prometheus finds the figures: in its library's registry, and on a port."""

from collections.abc import Callable
from functools import cache

from tasks.engine.metrics.library import available
from tasks.engine.metrics.process import Process, Workforce
from tasks.engine.metrics.whole import Whole

__all__ = ["register", "serve"]


def serve(host: str, port: int) -> None:
    """Answer ``GET /metrics`` from a daemon thread, to whoever can reach the port.

    ``OSError`` if there is no such address, or it is taken.
    """
    from prometheus_client import start_http_server

    start_http_server(port, host)


@cache
def register(running: Callable[[], Workforce | None]) -> None:
    """Add what is looked up at each scrape: *running* gives this process's workforce, if any.

    Safe to call twice.
    """
    if not available:
        return
    from prometheus_client import REGISTRY

    REGISTRY.register(Process(running))
    REGISTRY.register(Whole())
