"""What a process says of how many watch in it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async

from consumers.feeds import audience
from consumers.feeds.audience import Audience
from consumers.feeds.hub import Hub
from tasks.engine import store
from tasks.ids import new_run_id
from tests.tasks.runs import until

from ..connections import HttpStream, events_path
from ..rows import stored

pytestmark = pytest.mark.usefixtures("transactional_db")

said = sync_to_async(store.audience)


class Told:
    """What was written: how many rows at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: list[dict[UUID, int]] = []
        self._real = store.note_audience
        monkeypatch.setattr(store, "note_audience", self._note)

    def _note(self, process: str, watchers: dict[UUID, int]) -> None:
        self._real(process, watchers)
        self.rows.append(watchers)


@pytest.fixture
async def served(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    monkeypatch.setattr(audience, "_PAUSE", 0.01)
    serving: list[asyncio.Task[None]] = []

    def serve(count: Any) -> asyncio.Task[None]:
        task = asyncio.create_task(Audience(count).serve())
        serving.append(task)
        return task

    yield serve
    for task in serving:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_only_what_has_changed_is_written(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told(monkeypatch)
    one, two = new_run_id(), new_run_id()
    counts = {one: 1, two: 200}
    looks = 0

    def count() -> dict[UUID, int]:
        nonlocal looks
        looks += 1
        return dict(counts)

    serving = served(count)

    async def look_again() -> None:
        seen = looks

        async def has_looked() -> bool:
            return looks > seen + 2

        await until(has_looked)

    await look_again()
    assert told.rows == [{one: 1, two: 200}]
    counts[one] = 3
    await look_again()
    del counts[two]
    await look_again()
    assert told.rows == [{one: 1, two: 200}, {one: 3}, {two: 0}]
    assert await said([one, two]) == {one: 3}
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving

    async def is_gone() -> bool:
        return await said([one, two]) == {}

    await until(is_gone)


@pytest.mark.usefixtures("anyone")
async def test_those_of_the_hub(hub: Hub, served: Any) -> None:
    run, other = await stored(events=1), await stored(events=1)
    streams = [await HttpStream(events_path(run.pk)).open() for _ in range(3)]
    streams += [await HttpStream(events_path(other.pk)).open()]
    served(hub.audience)

    async def are(expected: dict[UUID, int]) -> None:
        async def holds() -> bool:
            return await said([run.pk, other.pk]) == expected

        await until(holds)

    await are({run.pk: 3, other.pk: 1})
    await streams.pop().disconnect()
    await streams.pop().disconnect()
    await are({run.pk: 2})
    for stream in streams:
        await stream.disconnect()
    await are({})
