"""The client for sync code."""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Self

import httpx

from consumers.client.event import Event
from consumers.client.journey import Journey, Lost
from consumers.client.options import options, patient

__all__ = ["SyncHeadwayClient"]


class SyncHeadwayClient:
    """:class:`HeadwayClient`, which blocks; *http* are arguments of ``httpx.Client``."""

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        patience: float | None = None,
        **http: Any,
    ) -> None:
        self._http = httpx.Client(**options(base_url, token, http))
        self._patience = patience

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def watch(self, run_id: object, after: int | str = 0) -> Iterator[Event]:
        """See :meth:`HeadwayClient.watch`."""
        return self._travel(Journey.of_run(run_id, after, self._patience))

    def watch_task(self, *names: object, after: int | str = 0) -> Iterator[Event]:
        """See :meth:`HeadwayClient.watch_task`."""
        return self._travel(Journey.of_task(names, after, self._patience))

    def _travel(self, journey: Journey) -> Iterator[Event]:
        while not journey.over:
            with suppress(Lost, httpx.TransportError):
                yield from self._connection(journey)
            if not journey.over:
                time.sleep(journey.pause())  # the other side is to come back

    def _connection(self, journey: Journey) -> Iterator[Event]:
        timeout = patient(self._http.timeout, journey.heartbeat)
        with self._http.stream(
            "GET", journey.path, headers=journey.headers, timeout=timeout
        ) as response:
            body = b"" if response.is_success else response.read()
            if journey.answered(response.status_code, response.headers, lambda: body):
                for data in response.iter_bytes():
                    yield from journey.events(data)
                    if journey.over:
                        return
