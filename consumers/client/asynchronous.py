"""The client for async code."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any, Self

import httpx

from consumers.client.event import Event
from consumers.client.journey import Journey, Lost
from consumers.client.options import options, patient

__all__ = ["HeadwayClient"]


class HeadwayClient:
    """Watches runs and StreamTasks.

    *token* is sent as a bearer token. A server that cannot be reached is tried again, for
    ever or until nothing was heard of it for *patience* seconds. *http* are further
    arguments of ``httpx.AsyncClient``, such as ``cookies``, ``verify`` or ``transport``.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        patience: float | None = None,
        **http: Any,
    ) -> None:
        self._http = httpx.AsyncClient(**options(base_url, token, http))
        self._patience = patience

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    def watch(self, run_id: object, after: int | str = 0) -> AsyncGenerator[Event, None]:
        """The events of a run that follow *after*, the seq or id of one of them, as they come,
        to its ``finished``.

        Raises :class:`Refused` in one of its kinds, or :class:`Unreachable`.
        """
        return self._travel(Journey.of_run(run_id, after, self._patience))

    def watch_task(self, *names: object, after: int | str = 0) -> AsyncGenerator[Event, None]:
        """The same of a StreamTask: ``(model, pk)`` or ``(app_label, model, pk)``.

        Of one that has not been started, once it is. Where it was started again since the
        event whose id *after* is, its newest run's from the first one on.
        """
        return self._travel(Journey.of_task(names, after, self._patience))

    async def _travel(self, journey: Journey) -> AsyncGenerator[Event, None]:
        while not journey.over:
            with suppress(Lost, httpx.TransportError):
                async with aclosing(self._connection(journey)) as events:
                    async for event in events:
                        yield event
            if not journey.over:
                await asyncio.sleep(journey.pause())  # the other side is to come back

    async def _connection(self, journey: Journey) -> AsyncGenerator[Event, None]:
        timeout = patient(self._http.timeout, journey.heartbeat)
        async with self._http.stream(
            "GET", journey.path, headers=journey.headers, timeout=timeout
        ) as response:
            body = b"" if response.is_success else await response.aread()
            if journey.answered(response.status_code, response.headers, lambda: body):
                async for data in response.aiter_bytes():
                    for event in journey.events(data):
                        yield event
                    if journey.over:
                        return
