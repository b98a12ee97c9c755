"""From a call to stored runs: check, serialise, insert, wake.

A call is bound and serialised in one step, in the caller's thread (:func:`bound`); what it
refers to may change from then on. Storing is another step, in a thread that may query.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from django.db import transaction

from tasks.codec import decode, encode, encode_indexed
from tasks.conf import conf
from tasks.definition.options import Options
from tasks.engine import control, store
from tasks.engine.attempts import tracing
from tasks.engine.metrics import instruments
from tasks.exceptions import InvalidArguments, InvalidValue
from tasks.handles.deferred import DeferredHandle
from tasks.handles.handle import Handle
from tasks.ids import new_run_id
from tasks.models import TaskRun
from tasks.states import RunStatus
from tasks.surroundings import circumstances

__all__ = ["Calls", "Payload", "bound", "new_handle", "store_on_commit", "store_runs"]

Calls = Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]]

#: Takes runs in the place of the database, and gives their handles: :mod:`tasks.testing`.
capture: "Callable[[Any, list[store.NewRun]], list[Handle]] | None" = None


class Payload(NamedTuple):
    """The arguments of a call, as JSON text."""

    args: str
    kwargs: str


def bound(task: Any, calls: Calls) -> list[Payload]:
    """The calls, each checked against the function's signature and serialised."""
    try:
        return [_payload(task, args, kwargs) for args, kwargs in calls]
    except (InvalidArguments, InvalidValue):
        with tracing.enqueueing(task.module_path, task.queue_name):
            raise  # in a trace it is an enqueueing that failed


def _payload(task: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Payload:
    if (check := getattr(task, "check_call", None)) is not None:
        check(args, kwargs)
    return Payload(_serialised(list(args), task), _serialised(dict(kwargs), task))


def store_runs(task: Any, payloads: Iterable[Payload]) -> list[Handle]:
    """Store one run of *task* for each call, in the caller's transaction if there is one.

    Everything is checked before anything is stored. Executing begins after the commit.
    """
    with tracing.enqueueing(task.module_path, task.queue_name) as trace:
        runs = _runs(task, payloads, trace.carrier)
        handles = _store(task, runs)
        trace.stored([handle.run_id for handle in handles])
    return handles


def store_on_commit(
    task: Any, payload: Payload, alias: str, stored: Callable[[Handle], None]
) -> DeferredHandle:
    """Store a run of *task* with the commit of the database *alias*; then call *stored*.

    Where that holds the runs too, the run is stored at once, in the transaction: there is
    no moment at which one is committed without the other. Another database's commit is
    waited for, and everything that the run has from its caller is taken now.
    """
    deferred = DeferredHandle(task.name)

    def bind(handle: Handle) -> None:
        deferred.bind(handle)
        stored(handle)

    if alias == conf().database:
        [now] = store_runs(task, [payload])
        deferred.after(alias, lambda: bind(now))
        return deferred
    with tracing.enqueueing(task.module_path, task.queue_name) as trace:
        runs = _runs(task, [payload], trace.carrier)
        trace.stored([run.id for run in runs])

    def store_now() -> None:
        [later] = _store(task, runs)
        deferred.after(conf().database, lambda: bind(later))

    deferred.after(alias, store_now)
    return deferred


def _store(task: Any, runs: list[store.NewRun]) -> list[Handle]:
    if capture is not None:
        return capture(task, runs)
    if (existing := _insert(task, runs)) is not None:
        return [Handle.of_run(existing)]
    instruments.enqueued.labels(task.queue_name).inc(len(runs))
    transaction.on_commit(control.wake, using=conf().database)
    return [new_handle(task, run) for run in runs]


def _insert(task: Any, runs: list[store.NewRun]) -> TaskRun | None:
    """Store *runs*, unless another one has the task's unique key: then give that one."""
    if task_key := getattr(task, "unique_key", None):
        if len(runs) != 1:
            raise InvalidArguments(f"A unique key is for one run, not for {len(runs)}.")
        return store.insert_unique(runs[0], task_key)
    store.insert_runs(runs)
    return None


def _runs(task: Any, payloads: Iterable[Payload], trace: Mapping[str, str]) -> list[store.NewRun]:
    option = partial(getattr, task)
    user = getattr(option("user", None) or _requesting_user(), "pk", None)
    new = partial(
        store.NewRun,
        task=task.module_path,
        queue_name=task.queue_name,
        priority=task.priority,
        run_after=_moment(task),
        backend=task.backend,
        max_attempts=option("max_attempts", None) or conf().max_attempts,
        timeout=option("timeout", None) or conf().timeout,
        metadata=encode_indexed(dict(option("metadata", {}))),
        options=Options.of(task).resolved(task.func).as_json(),
        trace=trace,
        user=user,
        context=encode(circumstances.capture(user)),
    )
    return [
        new(id=new_run_id(), args=args, kwargs=kwargs, enqueued_at=datetime.now(UTC))
        for args, kwargs in payloads
    ]


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
    provider = circumstances.current_user.get()
    return provider() if provider is not None else None


def new_handle(task: Any, run: store.NewRun) -> Handle:
    """Of a run that has just been stored."""
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
