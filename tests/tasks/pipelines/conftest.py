"""Looking at pipelines."""

from collections.abc import Awaitable, Callable

import pytest

from tasks.codec import decode
from tasks.handles import Handle
from tasks.models import TaskEvent, TaskRun
from tests.tasks.pipelines.seen import Seen

Look = Callable[[Handle], Awaitable[Seen]]


@pytest.fixture
def look() -> Look:
    async def look_at(handle: Handle) -> Seen:
        events = TaskEvent.objects.filter(run=handle.run_id).order_by("seq")
        told = [(event.type, decode(event.data)) async for event in events]
        key = f"headway.stage:{handle.run_id.hex}:"
        runs = {
            str(run.unique_key).removeprefix(key): run
            async for run in TaskRun.objects.filter(unique_key__startswith=key)
        }
        return Seen(told, runs)

    return look_at
