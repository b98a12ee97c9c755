"""The StreamTasks that this process is executing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tasks.stream_task import StreamTask
from tasks.streaming.lookup import key_of

__all__ = ["executed_here", "present"]

_here: dict[tuple[str, Any], StreamTask] = {}


def executed_here(model: type[StreamTask], pk: Any) -> StreamTask | None:
    """The instance whose ``process()`` is under way in this process."""
    return _here.get((model._meta.label_lower, key_of(model, pk)))


@contextmanager
def present(instance: StreamTask) -> Iterator[None]:
    """Within, it is found by :func:`executed_here`."""
    key = (instance._meta.label_lower, instance.pk)
    _here[key] = instance
    try:
        yield
    finally:
        if _here.get(key) is instance:  # and not that of the next attempt
            del _here[key]
