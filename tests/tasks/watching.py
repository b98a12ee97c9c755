"""Helpers for tests that look at what runs tell, and at their processes."""

from pathlib import Path
from typing import Any

import pytest

from tasks.codec import decode
from tasks.exceptions import TaskFailed
from tasks.handles import Handle
from tasks.models import TaskEvent
from tests.tasks.runs import until

__all__ = ["PATIENCE", "alive", "data", "emitted", "failed", "gone", "parent"]

PATIENCE = 50.0  # seconds: a process has to start and to import Django, on a busy machine


async def data(handle: Handle, type_: str) -> list[Any]:
    found = TaskEvent.objects.filter(run=handle.run_id, type=type_).order_by("seq")
    return [decode(event.data) async for event in found]


async def emitted(handle: Handle, type_: str) -> Any:
    async def there() -> bool:
        return bool(await data(handle, type_))

    await until(there, PATIENCE)
    return (await data(handle, type_))[0]


def alive(pid: int) -> bool:
    try:
        return _state(pid)[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the latter: it ends while it is read
        return False


def parent(pid: int) -> int:
    return int(_state(pid)[1])


def _state(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


async def gone(*pids: int) -> None:
    async def all_gone() -> bool:
        return not any(map(alive, pids))

    await until(all_gone, PATIENCE)


async def failed(handle: Handle) -> str:
    with pytest.raises(TaskFailed) as raised:
        await handle.await_result(PATIENCE)
    return str(raised.value)
