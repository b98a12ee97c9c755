"""StreamTasks, made and looked at."""

from contextlib import suppress
from typing import Any

from tasks.coordinator import coordinator
from tasks.exceptions import RunCancelled, TaskFailed
from tasks.handles import Handle
from tasks.models import StreamTask, TaskEvent, TaskRun


async def made(model: type[StreamTask], **fields: Any) -> Any:
    return await model._default_manager.acreate(**fields)


async def finished(task: StreamTask) -> Handle:
    """Started, and waited for."""
    handle = await coordinator.start_task(task)
    assert isinstance(handle, Handle)
    with suppress(TaskFailed, RunCancelled):
        await handle.await_result(20)
    await task.arefresh_from_db()
    return handle


async def events(task: StreamTask) -> list[tuple[str, str]]:
    found = TaskEvent.objects.filter(run_id=task.run_id).order_by("seq")
    return [(event.type, event.data) async for event in found]


async def runs() -> int:
    return await TaskRun.objects.acount()
