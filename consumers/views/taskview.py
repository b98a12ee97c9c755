"""A StreamTask over HTTP: ``GET stream/<Model>/<pk>``, as the streaming coordinator has it."""

from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from consumers.access.auth import Access, Action, admit
from consumers.access.limits import Seat
from consumers.access.requests import prefers, user_of
from consumers.asgi import Direct
from consumers.feeds.chunk import Chunk
from consumers.feeds.follower import Signal
from consumers.feeds.hub import get_hub
from consumers.feeds.keep import keep
from consumers.feeds.turn import Outlet
from consumers.feeds.watcher import Watcher
from consumers.refusal import Refusal
from consumers.streams.sse import EventStream, respond, seat_for
from consumers.streams.taskcursor import event_id, place
from consumers.streams.taskframes import HEARTBEAT, TaskFrames, opening
from consumers.views.answer import json_answer
from consumers.wire import CONTENT_TYPE
from tasks.codec import encode
from tasks.conf import conf
from tasks.exceptions import AmbiguousModel, UnknownModel
from tasks.models import TaskRun
from tasks.states import RunStatus
from tasks.stream_task import StreamTask
from tasks.streaming.lookup import TASK_PATH, find_model, find_row, run_of

__all__ = ["TaskStream", "run_that_would_be", "show_task"]

_COME_AGAIN = b"retry: 2000\n"
_STATES = {RunStatus.FAILED: "failed", RunStatus.CANCELLED: "cancelled"}


class _Found(NamedTuple):
    task: StreamTask | None
    run: TaskRun | None
    #: What AUTHZ decides about: the run, or what it would be.
    subject: TaskRun
    model_name: str

    @property
    def row(self) -> StreamTask:
        """To be asked for by who may see it: others are not told which keys there are."""
        if self.task is None:
            raise Refusal(404, "no_such_task", f"There is no {self.model_name} with this key.")
        return self.task


async def show_task(
    request: HttpRequest, model_name: str, pk: str, app_label: str | None = None
) -> HttpResponseBase:
    """The log of the newest run as it grows, or the state as JSON. Starts nothing."""
    found = await sync_to_async(_find)(app_label, model_name, pk)
    if prefers(request, "text/event-stream", "application/json") == "application/json":
        await admit(user_of(request), found.subject, Action.VIEW)
        return json_answer(_state(found.row, found.run))
    with seat_for(request) as seat:
        access = await admit(user_of(request), found.subject, Action.STREAM)
        seat.hold_for(access.user)
        if found.run is None:
            return _without_run(request, found.row)
        return await _streamed(request, found.row, access, seat)


async def _streamed(
    request: HttpRequest, task: StreamTask, access: Access, seat: Seat
) -> HttpResponseBase:
    run = access.run
    after = _after(request, run.pk, run.last_seq)
    if run.is_finished:
        if after == run.last_seq:
            return HttpResponse(status=204)  # see sse
        await sync_to_async(keep)(run)
    watcher = get_hub().watch(run, after, "sse", access.admission)
    return respond(request, TaskStream(watcher, TaskFrames(task)), seat)


class TaskStream(EventStream[Chunk | Signal]):
    """A watcher's items for the viewers of a task."""

    def __init__(self, watcher: Watcher, frames: TaskFrames) -> None:
        super().__init__(watcher, opening(conf().heartbeat))
        self._watcher = watcher
        self._frames = frames

    def hurry(self, direct: Direct) -> None:
        self._watcher.outlet = Outlet("task", self._frames.of_chunk, direct)

    async def encode(self, item: Chunk | Signal) -> bytes:
        return self._frames.of_chunk(item) if isinstance(item, Chunk) else self.said(item)

    def said(self, signal: Signal) -> bytes:
        if signal is Signal.HEARTBEAT:
            return HEARTBEAT
        return super().said(signal).removesuffix(b"\n")


def run_that_would_be(model: type[StreamTask], pk: Any) -> TaskRun:
    """The run of a task that has none, unsaved and nobody's."""
    meta = model._meta
    name = {"stream_task": meta.label, "pk": str(pk)}
    call: dict[str, Any] = {"args": [meta.app_label, model.__name__, pk], "metadata": name}
    return TaskRun(task=TASK_PATH, **call)


def _find(app_label: str | None, model_name: str, pk: str) -> _Found:
    try:
        model = find_model(model_name, app_label)
        task = find_row(model, pk)
    except AmbiguousModel:
        message = f"Several apps have a {model_name}: use /stream/<app_label>/{model_name}/{pk}."
        raise Refusal(404, "ambiguous_model", message) from None
    except UnknownModel as error:
        raise Refusal(404, "no_such_model", str(error)) from None
    except ValueError as error:
        raise Refusal(400, "malformed_id", str(error)) from None
    run = None if task is None else run_of(task)
    subject = run or run_that_would_be(model, pk if task is None else task.pk)
    return _Found(task, run, subject, model_name)


def _after(request: HttpRequest, run_id: UUID | None, last_seq: int) -> int:
    """The seq to continue after in the log of this run."""
    return place(request.headers.get("Last-Event-ID"), request.GET.get("after"), run_id, last_seq)


def _state(task: StreamTask, run: TaskRun | None) -> dict[str, Any]:
    state: dict[str, Any] = {"status": "completed", "final_value": task.final_value}
    if task.completed_at is not None:
        return state | {"completed_at": task.completed_at.isoformat()}
    state["completed_at"] = None
    if run is None:
        return state | {"status": "gone" if task.run_id else "pending"}
    if run.is_finished and run.status != RunStatus.SUCCESSFUL:
        return state | {"status": _STATES[RunStatus(run.status)], "error": run.error}
    return state | {"status": "pending" if run.is_finished else "running"}


def _without_run(request: HttpRequest, task: StreamTask) -> HttpResponse:
    """An answer that ends at once, since nobody would tell when there is more to say."""
    if task.completed_at is not None:
        if _after(request, task.run_id, 1):  # one event is left of it
            return HttpResponse(status=204)
        value = {"status": "SUCCESSFUL", "return_value": task.final_value}
        return _brief(task, event_id(1, task.run_id), b"run.finished", value, task.completed_at)
    if task.run_id is not None:
        message = "The task's run has been deleted with its events."
        raise Refusal(404, "run_gone", message)
    # An EventSource comes again by itself, until it has been started.
    return _brief(task, "", b"run.pending", {"status": "pending"}, datetime.now(UTC))


def _brief(task: StreamTask, id_: str, name: bytes, data: object, at: datetime) -> HttpResponse:
    moment = at.isoformat().replace("+00:00", "Z").encode()
    block = TaskFrames(task).block(id_, name, encode(data).encode(), moment, last=bool(id_))
    # What is no event of a log has no id.
    response = HttpResponse(block if id_ else _COME_AGAIN + block, content_type=CONTENT_TYPE)
    response["Cache-Control"] = "no-cache, no-transform"
    return response
