"""What a WebSocket for one run is closed for."""

from typing import Any
from uuid import uuid4

import pytest

from consumers.feeds.hub import Hub
from consumers.wire import CloseCode

from ..conftest import Login
from ..connections import PATIENCE, socket
from ..rows import emit, stored
from ..runsocket import closing, envelopes, opened, refused

pytestmark = pytest.mark.usefixtures("anyone")


async def test_no_such_run(hub: Hub) -> None:
    assert await refused(socket(uuid4())) == CloseCode.NOT_FOUND


@pytest.mark.parametrize("run_id", ["", "x", "0197a3c4", "a/b", "a" * 3000, "%00", "☃"])
async def test_no_run_id(hub: Hub, run_id: str) -> None:
    assert await refused(socket(f"/ws/tasks/{run_id}/")) == CloseCode.BAD_REQUEST


@pytest.mark.parametrize("cursor", ["abc", "-1", "1.5", "", "9" * 30, "2", "%00", "%FF"])
async def test_a_bad_after(hub: Hub, cursor: str) -> None:
    run = await stored(events=1)
    assert await refused(socket(run.pk, f"after={cursor}")) == CloseCode.BAD_REQUEST
    assert hub.watched == 0


@pytest.mark.parametrize("cursor", [b"abc", b"", b"2", b"\xff"])
async def test_a_bad_last_event_id(hub: Hub, cursor: bytes) -> None:
    run = await stored(events=1)
    ws = socket(run.pk, headers=[(b"last-event-id", cursor)])
    assert await refused(ws) == CloseCode.BAD_REQUEST


async def test_a_malformed_query(hub: Hub) -> None:
    run = await stored(events=1, finish=True)
    found, code = await envelopes(await opened(socket(run.pk, "&&=%zz&%ff=%fe&a")))
    assert (len(found), code) == (1, 1000)


BAD_FRAMES = [
    ({"bytes": b"\x00\x01"}, CloseCode.BAD_REQUEST),
    ({"bytes": b'{"op":"ping"}'}, CloseCode.BAD_REQUEST),
    ({"text": "x" * 70_000}, CloseCode.TOO_LARGE),
    ({"text": '{"op":"' + "é" * 33_000 + '"}'}, CloseCode.TOO_LARGE),
    ({"text": ""}, CloseCode.BAD_REQUEST),
    ({"text": "ping"}, CloseCode.BAD_REQUEST),
    ({"text": "{"}, CloseCode.BAD_REQUEST),
    ({"text": "[" * 60_000}, CloseCode.BAD_REQUEST),
    ({"text": "[]"}, CloseCode.BAD_REQUEST),
    ({"text": "null"}, CloseCode.BAD_REQUEST),
    ({"text": "{}"}, CloseCode.BAD_REQUEST),
    ({"text": '{"op":null}'}, CloseCode.BAD_REQUEST),
    ({"text": '{"op":["ping"]}'}, CloseCode.BAD_REQUEST),
    ({"text": '{"op":"finish"}'}, CloseCode.BAD_REQUEST),
    ({"text": '{"op":"PING"}'}, CloseCode.BAD_REQUEST),
    ({"text": "1" * 10_000}, CloseCode.BAD_REQUEST),
    ({"text": "\x00"}, CloseCode.BAD_REQUEST),
]


@pytest.mark.parametrize(("frame", "code"), BAD_FRAMES)
async def test_a_bad_frame(hub: Hub, frame: dict[str, Any], code: CloseCode) -> None:
    run = await stored()
    other = await opened(socket(run.pk))
    ws = await opened(socket(run.pk))
    await ws.send_input({"type": "websocket.receive", **frame})
    found, reason = await closing(ws)
    assert found == code
    assert reason
    # Beside it, another one goes on.
    await emit(run, 1, finish=True)
    assert len((await envelopes(other))[0]) == 1


async def test_a_foreign_page_is_denied_the_handshake(hub: Hub, ann: Login) -> None:
    run = await stored(user=ann.user)
    ws = socket(run.pk, headers=[ann.cookie, (b"origin", b"https://evil.example")])
    connected, code = await ws.connect(PATIENCE)
    assert not connected
    assert code == CloseCode.FORBIDDEN


async def test_an_own_page_is_let_in(hub: Hub) -> None:
    run = await stored(events=1, finish=True)
    ws = socket(run.pk, headers=[(b"origin", b"https://testserver")])
    assert len((await envelopes(await opened(ws)))[0]) == 1
