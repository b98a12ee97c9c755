"""What ``REALTIME`` switches off is not there."""

import json
from typing import Any

import pytest

from consumers.feeds.hub import Hub
from consumers.wire import CloseCode

from .asking import csrf
from .bundleclient import PATH
from .conftest import Login
from .connections import HttpStream, events_path, socket
from .rows import stored


@pytest.mark.parametrize(
    ("transport", "sse", "websocket"),
    [
        ("both", True, True),
        ("sse", True, False),
        ("channels", False, True),
        ("none", False, False),
    ],
)
async def test_what_is_switched_off_is_not_there(
    hub: Hub, settings: Any, transport: str, sse: bool, websocket: bool
) -> None:
    settings.HEADWAY = {"REALTIME": {"TRANSPORT": transport}, "AUTHZ": lambda *_: True}
    run = await stored(events=1, finish=True)
    json_ = [(b"accept", b"application/json")]
    for path, query, headers in (
        (events_path(run.pk), "", []),
        (events_path(run.pk), "", json_),
        ("/tasks/events/", f"run={run.pk}", []),
    ):
        request = await HttpStream(path, query, headers).open()
        assert request.status == (200 if sse else 404)
        if not request.content:
            await request.body()
        elif not sse:
            assert request.json["error"]["code"] == "not_offered"
    for target in (run.pk, PATH):
        ws = socket(target)
        assert await ws.connect(10) == ((True, None) if websocket else (False, CloseCode.FORBIDDEN))
        if websocket:
            await ws.disconnect(timeout=10)
    snapshot = await HttpStream(f"/tasks/{run.pk}/").open()
    links = snapshot.json["links"]
    assert ("events" in links, "websocket" in links) == (sse, websocket)
    assert {"self", "stop"} <= links.keys()


async def test_an_enqueueing_client_has_the_state_where_there_are_no_streams(
    hub: Hub, settings: Any, staff: Login
) -> None:
    settings.HEADWAY = {"REALTIME": {"TRANSPORT": "channels"}}
    headers = [
        *await csrf(),
        (b"cookie", staff.cookie[1] + b"; csrftoken=" + b"a" * 32),
        (b"content-type", b"application/json"),
        (b"accept", b"text/event-stream"),
    ]
    body = json.dumps({"task": "tests.consumers.calls.greet", "args": ["ann"]}).encode()
    request = HttpStream("/tasks/", headers=headers[1:], method="POST")
    assert (await request.open(body)).status == 201
    assert request.json["status"] == "READY"
