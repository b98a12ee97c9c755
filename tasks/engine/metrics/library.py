"""prometheus_client, where it is installed; else the same calls, and nothing happens.

Everything is in the library's own registry: a project that exposes that one already has
Headway's figures there.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

try:
    import prometheus_client as client
except ImportError:
    client = None  # type: ignore[assignment]

__all__ = ["Counter", "Gauge", "Histogram", "available", "counter", "gauge", "histogram"]

#: Whether there is anything to read.
available = client is not None


class Counter(Protocol):
    def labels(self, *values: str) -> "Counter": ...
    def inc(self, amount: float = 1) -> None: ...


class Gauge(Protocol):
    def labels(self, *values: str) -> "Gauge": ...
    def inc(self, amount: float = 1) -> None: ...
    def dec(self, amount: float = 1) -> None: ...
    def set_function(self, look: Callable[[], float]) -> None: ...


class Histogram(Protocol):
    def labels(self, *values: str) -> "Histogram": ...
    def observe(self, amount: float) -> None: ...
    def time(self) -> AbstractContextManager[Any]: ...


class _Nothing:
    def labels(self, *values: str) -> "_Nothing":
        return self

    def inc(self, amount: float = 1) -> None:
        pass

    def dec(self, amount: float = 1) -> None:
        pass

    def set_function(self, look: Callable[[], float]) -> None:
        pass

    def observe(self, amount: float) -> None:
        pass

    def time(self) -> AbstractContextManager[Any]:
        return nullcontext()


_nothing = _Nothing()


def counter(name: str, doc: str, labels: Sequence[str] = ()) -> Counter:
    """A number that only grows; ``_total`` is added to its name."""
    return client.Counter(name, doc, labels) if available else _nothing


def gauge(name: str, doc: str, labels: Sequence[str] = ()) -> Gauge:
    return client.Gauge(name, doc, labels) if available else _nothing


def histogram(
    name: str, doc: str, buckets: Sequence[float], labels: Sequence[str] = ()
) -> Histogram:
    """How often a figure was at most as large as each of *buckets*."""
    return client.Histogram(name, doc, labels, buckets=buckets) if available else _nothing
