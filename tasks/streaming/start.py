"""Starting a StreamTask: one run of it, whoever asks for it, and however many do."""

from typing import Any

from django.db import connections, router, transaction

from tasks.conf import conf
from tasks.definition import registry
from tasks.handles import Handle
from tasks.stream_task import StreamTask
from tasks.streaming.keys import key_of_start
from tasks.streaming.lookup import TASK_PATH, run_of

__all__ = ["enqueue", "start"]


def start(task: StreamTask) -> Handle | None:
    """Have its row executed by a run, unless one does or has done so; the run, if there is it.

    In a transaction it begins with the commit. ``ValueError`` for a row that is not saved.
    """
    if task.pk is None or task._state.adding:
        raise ValueError(f"Save the {task._meta.object_name} before you start it.")
    alias = task._state.db or router.db_for_write(type(task), instance=task)
    if alias != conf().database and connections[alias].in_atomic_block:
        # A run in another database would not wait for this transaction by itself.
        transaction.on_commit(lambda: _start_now(task, alias), using=alias)
        return None
    with transaction.atomic(using=alias):
        return _start_now(task, alias)


def _start_now(task: StreamTask, alias: str) -> Handle | None:
    row = type(task)._base_manager.using(alias).get(pk=task.pk)
    known, task.run_id = task.run_id, row.run_id
    run = run_of(row)
    if row.completed_at is not None or (run is not None and not run.is_finished):
        return None if run is None else Handle.of_run(run)
    if run is not None and known != row.run_id:
        return Handle.of_run(run)  # started by somebody else since the instance was read
    handle = enqueue(row)
    rows = type(task)._base_manager.using(alias).filter(pk=row.pk, run_id=row.run_id)
    rows.update(run_id=handle.run_id)
    task.run_id = handle.run_id
    return handle


def enqueue(row: StreamTask) -> Handle:
    """A run of the row as it is: the same one for all who start it from there."""
    meta = row._meta
    name = {"stream_task": meta.label, "pk": str(row.pk)}
    options: dict[str, Any] = {"metadata": name, **row.run_options, "unique_key": key_of_start(row)}
    pk = row.pk if isinstance(row.pk, int | str) else str(row.pk)
    task = registry.resolve(TASK_PATH)
    return task.using(**options).enqueue(meta.app_label, type(row).__name__, pk)
