"""Runs and events in the suite's database, and what the journal would publish."""

from datetime import UTC, datetime
from typing import Any

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from tasks.conf import conf
from tasks.events import Event, layer_batch, layer_message, shard_group
from tasks.models import TaskEvent, TaskRun
from tasks.states import RunStatus

__all__ = ["commit", "emit", "publish", "stored"]


@sync_to_async
def stored(events: int = 0, finish: bool = False, **fields: Any) -> TaskRun:
    """A run with a log of *events* events."""
    fields.setdefault("task", "tests.consumers.calls.greet")
    fields.setdefault("status", RunStatus.RUNNING)
    run = TaskRun.objects.create(enqueued_at=datetime.now(UTC), **fields)
    if events:
        _commit(run, events, finish)
    return run


async def emit(run: TaskRun, count: int = 1, finish: bool = False) -> None:
    """Commit events and publish them, as the journal does."""
    await publish(run, await sync_to_async(_commit)(run, count, finish))


async def commit(run: TaskRun, count: int = 1) -> None:
    """Commit events of which nobody hears."""
    await sync_to_async(_commit)(run, count, False)


async def publish(run: TaskRun, events: list[Event]) -> None:
    layer: Any = get_channel_layer()
    group = shard_group(run.pk, conf().shards)
    await layer.group_send(group, layer_message([layer_batch(run.pk, events)]))


def _commit(run: TaskRun, count: int, finish: bool) -> list[Event]:
    first = run.last_seq + 1
    now = datetime.now(UTC)
    types = ["step"] * (count - 1) + ["finished" if finish else "step"]
    events = [Event(first + i, type_, now, '{"a":"b"}') for i, type_ in enumerate(types)]
    TaskEvent.objects.bulk_create(
        [TaskEvent(run=run, seq=e.seq, type=e.type, at=e.at, data=e.data) for e in events]
    )
    run.last_seq += count
    if finish:
        run.status = RunStatus.SUCCESSFUL
        run.finished_at = now
    run.save()
    return events
