"""Who is over a limit is told so, over HTTP and WebSocket."""

import json
from typing import Any

import pytest

from consumers.access.limits import Limits
from consumers.feeds.hub import Hub
from consumers.paths import run_path
from consumers.wire import CloseCode
from tasks.models import TaskRun

from ..conftest import Login
from ..connections import PATIENCE, HttpStream, events_path, socket
from ..rows import stored
from .visits import allow, of

pytestmark = pytest.mark.usefixtures("limits")


async def test_an_event_stream_too_many(
    settings: Any, hub: Hub, ann: Login, limits: Limits
) -> None:
    allow(settings, user_streams=1)
    run = await stored()
    path = events_path(run.pk)
    first = await HttpStream(path, headers=[ann.cookie]).open()
    second = await HttpStream(path, headers=[ann.cookie]).open()
    assert (first.status, second.status) == (200, 503)
    assert second.json["error"]["code"] == "too_many"
    assert int(second.headers["retry-after"]) >= 1
    many = await HttpStream("/tasks/events/", f"run={run.pk}", [ann.cookie]).open()
    assert many.status == 503
    page = [(b"accept", b"application/json"), ann.cookie]
    assert (await HttpStream(path, headers=page).open()).status == 200
    await first.disconnect()
    assert limits.held("process") == limits.held("user", str(ann.user.pk)) == 0
    third = await HttpStream(path, headers=[ann.cookie]).open()
    assert third.status == 200
    await third.disconnect()


async def test_a_run_is_not_enqueued_for_a_stream_too_many(
    settings: Any, hub: Hub, limits: Limits
) -> None:
    allow(settings, streams=1)
    limits.enter(of(None), "sse")
    headers = [(b"content-type", b"application/json"), (b"accept", b"text/event-stream")]
    headers += [(b"cookie", b"csrftoken=" + b"a" * 32), (b"x-csrftoken", b"a" * 32)]
    body = json.dumps({"task": "tests.app.tasks.add", "args": [1, 2]}).encode()
    answer = await HttpStream("/tasks/", headers=headers, method="POST").open(body)
    assert answer.status == 503
    assert not await TaskRun.objects.aexists()


@pytest.mark.parametrize("path", ["run", "/ws/tasks/"])
async def test_a_websocket_too_many(
    settings: Any, hub: Hub, ann: Login, limits: Limits, path: str
) -> None:
    allow(settings, user_streams=1)
    run = await stored()
    path = run_path(run.pk) if path == "run" else path
    first, second = (socket(path, headers=[ann.cookie]) for _ in range(2))
    assert await first.connect(PATIENCE) == (True, None)
    assert await second.connect(PATIENCE) == (True, None)
    closed = await second.receive_output(PATIENCE)
    assert (closed["type"], closed["code"]) == ("websocket.close", CloseCode.TOO_MANY)
    assert limits.held("process") == 1
    await first.disconnect(timeout=PATIENCE)
    assert limits.held("process") == limits.held("user", str(ann.user.pk)) == 0


@pytest.mark.parametrize("path", ["run", "/ws/tasks/"])
async def test_a_websocket_that_talks_too_fast(
    settings: Any, hub: Hub, limits: Limits, path: str
) -> None:
    allow(settings, message_rate=1)
    run = await stored()
    ws = socket(run_path(run.pk) if path == "run" else path)
    assert await ws.connect(PATIENCE) == (True, None)
    for _ in range(11):
        await ws.send_json_to({"op": "ping"})
    heard = [await ws.receive_output(PATIENCE)]
    while heard[-1]["type"] == "websocket.send":
        heard.append(await ws.receive_output(PATIENCE))
    texts = [message["text"] for message in heard if message["type"] == "websocket.send"]
    assert heard[-1]["code"] == CloseCode.TOO_MANY
    assert sum('"pong"' in text for text in texts) == 10
    assert limits.held("process") == 0
