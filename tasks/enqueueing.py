"""From a call to stored runs: check, serialise, insert, wake."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction

from tasks.codec import decode, encode
from tasks.conf import conf
from tasks.context import current_user
from tasks.engine import control, store, tracing
from tasks.engine.metrics import instruments
from tasks.exceptions import InvalidArguments, InvalidValue
from tasks.handles import Handle
from tasks.ids import new_run_id
from tasks.models import TaskRun
from tasks.options import Options
from tasks.states import RunStatus

__all__ = ["store_runs"]


def store_runs(
    task: Any, calls: Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]]
) -> list[Handle]:
    """Store one run of *task* for each call, in the caller's transaction if there is one.

    Everything is checked before anything is stored. Executing begins after the commit.
    """
    with tracing.enqueueing(task.module_path, task.queue_name) as trace:
        make = _maker(task, trace.carrier)
        runs = [make(args, kwargs) for args, kwargs in calls]
        existing = _insert(task, runs)
        trace.stored([existing.pk] if existing else [run.id for run in runs])
    if existing is not None:
        return [Handle.of_run(existing)]
    instruments.enqueued.labels(task.queue_name).inc(len(runs))
    transaction.on_commit(control.wake, using=conf().database)
    return [_handle(task, run) for run in runs]


def _insert(task: Any, runs: list[store.NewRun]) -> TaskRun | None:
    """Store *runs*, unless another one has the task's unique key: then give that one."""
    if task_key := getattr(task, "unique_key", None):
        if len(runs) != 1:
            raise InvalidArguments(f"A unique key is for one run, not for {len(runs)}.")
        return store.insert_unique(runs[0], task_key)
    store.insert_runs(runs)
    return None


def _maker(
    task: Any, trace: Mapping[str, str]
) -> Callable[[tuple[Any, ...], Mapping[str, Any]], store.NewRun]:
    """What is the same for all runs of *task*, worked out once."""
    check = getattr(task, "check_call", None)
    option = partial(getattr, task)
    metadata = encode(dict(option("metadata", {})))
    user = option("user", None) or _requesting_user()
    new = partial(
        store.NewRun,
        task=task.module_path,
        queue_name=task.queue_name,
        priority=task.priority,
        run_after=_moment(task),
        backend=task.backend,
        max_attempts=option("max_attempts", None) or conf().max_attempts,
        timeout=option("timeout", None) or conf().timeout,
        metadata=metadata,
        options=Options.of(task).resolved(task.func).as_json(),
        trace=trace,
        user=getattr(user, "pk", None),
    )

    def make(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> store.NewRun:
        if check is not None:
            check(args, kwargs)
        return new(
            id=new_run_id(),
            args=_serialised(list(args), task),
            kwargs=_serialised(dict(kwargs), task),
            enqueued_at=datetime.now(UTC),
        )

    return make


def _moment(task: Any) -> datetime | None:
    """When a run may be claimed, at the earliest; a delay is counted by the database's clock."""
    delay: timedelta | None = getattr(task, "delay", None)
    run_after: datetime | None = task.run_after
    return run_after if delay is None else store.clock() + delay


def _serialised(value: Any, task: Any) -> str:
    try:
        return encode(value)
    except InvalidValue as error:
        raise InvalidValue(f"The arguments of {task.name}() cannot be stored. {error}") from error


def _requesting_user() -> Any:
    provider = current_user.get()
    return provider() if provider is not None else None


def _handle(task: Any, run: store.NewRun) -> Handle:
    return Handle(
        task=task,
        id=str(run.id),
        status=RunStatus.READY,
        enqueued_at=run.enqueued_at,
        started_at=None,
        finished_at=None,
        last_attempted_at=None,
        args=decode(run.args),
        kwargs=decode(run.kwargs),
        backend=run.backend,
        errors=[],
        worker_ids=[],
        metadata=decode(run.metadata),
    )
