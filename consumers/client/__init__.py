"""Headway for Python programs that watch from outside. Imports no Django; needs httpx.

::

    from consumers.client import HeadwayClient

    async with HeadwayClient("https://example.org", token=token) as client:
        async for event in client.watch(run_id):
            print(event.type, event.data)
        async for event in client.watch_task("ExampleTask", 1):
            ...

:class:`SyncHeadwayClient` is the same with ``with`` and ``for``. Every event comes once and
in order, across lost connections and restarts of the server; after the last one of the run
the iteration ends.
"""

from consumers.client.asynchronous import HeadwayClient
from consumers.client.errors import (
    Forbidden,
    HeadwayClientError,
    NotAuthenticated,
    NotFound,
    Refused,
    Unreachable,
)
from consumers.client.event import Event
from consumers.client.synchronous import SyncHeadwayClient

__all__ = [
    "Event",
    "Forbidden",
    "HeadwayClient",
    "HeadwayClientError",
    "NotAuthenticated",
    "NotFound",
    "Refused",
    "SyncHeadwayClient",
    "Unreachable",
]
