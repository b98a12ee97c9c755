"""What a client says on the WebSocket for many runs, and the answers to it."""

import json
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from consumers.feeds.hub import Hub
from consumers.wire import CloseCode
from tasks.states import RunStatus

from ..bundleclient import Client
from ..rows import emit, stored

pytestmark = pytest.mark.usefixtures("anyone")


REFS = ["a", "", "é" * 60, 0, -1, 2**63, 1.5, True, False, None, '"\\\n']


@pytest.mark.parametrize("ref", REFS)
async def test_a_ref_comes_back_as_it_is(hub: Hub, ref: object) -> None:
    client = await Client().open()
    answer = await client.ask("ping", ref=ref)
    assert answer == {"op": "pong", "ref": ref}
    assert type(answer["ref"]) is type(ref)
    refused = await client.ask("subscribe", ref=ref, run="x")
    assert (refused["ref"], refused["error"]["code"]) == (ref, "malformed_id")
    await client.leave()


async def test_without_a_ref_the_answer_has_none(hub: Hub) -> None:
    client = await Client().open()
    assert await client.ask("ping") == {"op": "pong"}
    await client.leave()


BAD = [
    ('{"op":"ping","ref":[]}', "ping", "bad_ref"),
    ('{"op":"ping","ref":{}}', "ping", "bad_ref"),
    ('{"op":"ping","ref":NaN}', "ping", "bad_ref"),
    ('{"op":"ping","ref":1e999}', "ping", "bad_ref"),
    ('{"op":"ping","ref":"\\ud800"}', "ping", "bad_ref"),
    ('{"op":"ping","ref":"%s"}' % ("x" * 127), "ping", "bad_ref"),
    ('{"op":"ping","ref":%s}' % ("9" * 129), "ping", "bad_ref"),
    ("{}", "error", "bad_request"),
    ('{"op":null}', "error", "bad_request"),
    ('{"op":["ping"]}', "error", "bad_request"),
    ('{"op":{}}', "error", "bad_request"),
    ('{"op":"PING"}', "error", "bad_request"),
    ('{"op":"error"}', "error", "bad_request"),
    ('{"op":"\\ud800"}', "error", "bad_request"),
    ('{"op":"subscribe"}', "subscribe", "malformed_id"),
    ('{"op":"subscribe","run":7}', "subscribe", "malformed_id"),
    ('{"op":"subscribe","run":"\\ud800"}', "subscribe", "malformed_id"),
    ('{"op":"subscribe","run":"%s"}' % ("x" * 50_000), "subscribe", "malformed_id"),
    ('{"op":"subscribe","run":["RUN"]}', "subscribe", "malformed_id"),
    ('{"op":"subscribe","run":"RUN","after":-1}', "subscribe", "bad_cursor"),
    ('{"op":"subscribe","run":"RUN","after":true}', "subscribe", "bad_cursor"),
    ('{"op":"subscribe","run":"RUN","after":1.0}', "subscribe", "bad_cursor"),
    ('{"op":"subscribe","run":"RUN","after":"1"}', "subscribe", "bad_cursor"),
    ('{"op":"subscribe","run":"RUN","after":[]}', "subscribe", "bad_cursor"),
    ('{"op":"subscribe","run":"RUN","after":5}', "subscribe", "bad_cursor"),
    ('{"op":"subscribe","run":"RUN","after":99999999999999999999}', "subscribe", "bad_cursor"),
    ('{"op":"subscribe","run":"OTHER"}', "subscribe", "subscribed"),
    ('{"op":"subscribe","run":"NONE"}', "subscribe", "no_such_run"),
    ('{"op":"unsubscribe","run":"RUN"}', "unsubscribe", "not_subscribed"),
    ('{"op":"unsubscribe","run":"x"}', "unsubscribe", "malformed_id"),
    ('{"op":"unsubscribe"}', "unsubscribe", "malformed_id"),
    ('{"op":"stop"}', "stop", "malformed_id"),
    ('{"op":"stop","run":"NONE"}', "stop", "no_such_run"),
]


@pytest.mark.parametrize(("text", "op", "code"), BAD)
async def test_a_bad_request_is_an_answer(hub: Hub, text: str, op: str, code: str) -> None:
    run, other = await stored(events=1), await stored()
    client = await Client().open()
    await client.ask("subscribe", run=other.pk)
    ids = {"RUN": run.pk, "OTHER": other.pk, "NONE": uuid4()}
    for name, run_id in ids.items():
        text = text.replace(name, str(run_id))
    await client.ws.send_to(text)
    answer = await client.hear()
    assert (answer["op"], answer["error"]["code"]) == (op, code)
    assert len(json.dumps(answer)) < 1_000
    # And the rest goes on.
    await emit(other, 1)
    assert await client.events((other, 1)) == {other.pk: [1]}
    await client.leave()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"bytes": b'{"op":"ping"}'}, CloseCode.BAD_REQUEST),
        ({"text": '{"op":"ping","ref":"' + "é" * 33_000 + '"}'}, CloseCode.TOO_LARGE),
        ({"text": ""}, CloseCode.BAD_REQUEST),
        ({"text": "{"}, CloseCode.BAD_REQUEST),
        ({"text": "[" * 60_000}, CloseCode.BAD_REQUEST),
        ({"text": "[]"}, CloseCode.BAD_REQUEST),
        ({"text": "null"}, CloseCode.BAD_REQUEST),
        ({"text": '"ping"'}, CloseCode.BAD_REQUEST),
    ],
)
async def test_what_is_no_object_ends_it(hub: Hub, frame: dict[str, Any], code: CloseCode) -> None:
    run = await stored()
    client, other = await Client().open(), await Client().open()
    await client.ask("subscribe", run=run.pk)
    await other.ask("subscribe", run=run.pk)
    await client.ws.send_input({"type": "websocket.receive", **frame})
    assert await client.closed() == code
    await emit(run, 1)
    assert await other.events((run, 1)) == {run.pk: [1]}
    await other.leave()
    assert hub.watched == 0


async def test_stop(hub: Hub) -> None:
    run = await stored(status=RunStatus.READY)
    client = await Client().open()
    answer = await client.ask("stop", run=run.pk, ref=1)
    assert answer == {"op": "stop", "ref": 1, "run": str(run.pk), "ok": True}
    await sync_to_async(run.refresh_from_db)()
    assert run.status == RunStatus.CANCELLED
    again = await client.ask("stop", run=run.pk)
    assert again["error"]["code"] == "finished"
    await client.leave()
