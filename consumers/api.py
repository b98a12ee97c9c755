"""Runs over HTTP: look at one, enqueue one, end one, do one again."""

from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from consumers.answer import json_answer
from consumers.auth import Action, admit
from consumers.keep import keep
from consumers.limits import Seat
from consumers.middleware import enqueueing_as
from consumers.operations import Call, cancel, enqueue, parse_call, parse_message, retry, send
from consumers.refusal import Refusal
from consumers.requests import prefers, user_of
from consumers.snapshot import snapshot
from consumers.sse import seat_for, stream
from tasks.conf import conf
from tasks.models import TaskRun
from tasks.states import CancelRequest

if TYPE_CHECKING:
    from consumers.rule import User

__all__ = ["enqueue_run", "kill_run", "retry_run", "send_to_run", "show_run", "stop_run"]


async def show_run(request: HttpRequest, run_id: str) -> HttpResponse:
    """``GET tasks/<id>/``."""
    access = await admit(user_of(request), run_id, Action.VIEW)
    return json_answer(snapshot(access.run))


async def enqueue_run(request: HttpRequest) -> HttpResponseBase:
    """``POST tasks/``: the new run's snapshot, or its stream if the client prefers that."""
    call = parse_call(_json_body(request))
    if _wants_stream(request):
        with seat_for(request) as seat:
            return await _enqueue_and_stream(request, call, seat)
    user = (await admit(user_of(request), call.as_run, Action.ENQUEUE)).user
    return _created(await _enqueued(request, call, user), 201)


def _wants_stream(request: HttpRequest) -> bool:
    wanted = prefers(request, "application/json", "text/event-stream")
    return wanted == "text/event-stream" and conf().offers("sse")


async def _enqueue_and_stream(request: HttpRequest, call: Call, seat: Seat) -> HttpResponseBase:
    visitor = user_of(request)
    user = (await admit(visitor, call.as_run, Action.ENQUEUE)).user
    seat.hold_for(user)  # before anything is stored: who comes again would store it twice
    run = await _enqueued(request, call, user)
    try:
        access = await admit(visitor, run, Action.STREAM)
    except Refusal:
        return _created(run, 201)
    if run.is_finished:  # an Idempotency-Key may name an old one
        await sync_to_async(keep)(run)
    response = await stream(request, access, 0, seat, status=201)
    response["Location"] = snapshot(run)["links"]["self"]
    return response


async def _enqueued(request: HttpRequest, call: Call, user: "User") -> TaskRun:
    return await sync_to_async(enqueue)(call, user, request.headers.get("Idempotency-Key"))


async def stop_run(request: HttpRequest, run_id: str) -> HttpResponse:
    """``POST tasks/<id>/stop/``."""
    return await _cancel(request, run_id, CancelRequest.STOP)


async def kill_run(request: HttpRequest, run_id: str) -> HttpResponse:
    """``POST tasks/<id>/kill/``."""
    return await _cancel(request, run_id, CancelRequest.KILL)


async def retry_run(request: HttpRequest, run_id: str) -> HttpResponse:
    """``POST tasks/<id>/retry/``: the snapshot of the new run."""
    access = await admit(user_of(request), run_id, Action.ENQUEUE)
    with enqueueing_as(lambda: access.user):
        return _created(await sync_to_async(retry)(access.run), 202)


async def send_to_run(request: HttpRequest, run_id: str) -> HttpResponse:
    """``POST tasks/<id>/send/``: a message, which the run receives."""
    data = parse_message(await sync_to_async(_json_body)(request))
    access = await admit(user_of(request), run_id, Action.SEND)
    number = await sync_to_async(send)(access.run, data)
    return json_answer({"id": str(access.run.pk), "number": number}, 202)


async def _cancel(request: HttpRequest, run_id: str, how: CancelRequest) -> HttpResponse:
    access = await admit(user_of(request), run_id, Action.STOP)
    await sync_to_async(cancel)(access.run, how)
    return json_answer({"id": str(access.run.pk), "requested": how}, 202)


def _created(run: TaskRun, status: int) -> HttpResponse:
    content = snapshot(run)
    return json_answer(content, status, {"Location": content["links"]["self"]})


def _json_body(request: HttpRequest) -> bytes:
    if request.content_type != "application/json":
        raise Refusal(415, "not_json", "The body must be application/json.")
    limit = conf().frame_bytes
    # A chunked body says no length before it is read.
    body = request.read(limit + 1)
    if len(body) > limit:
        raise Refusal(413, "too_large", f"A body may have {limit} bytes.")
    return body
