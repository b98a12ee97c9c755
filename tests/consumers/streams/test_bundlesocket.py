"""Many runs on one WebSocket, through the real routing, login and hub."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from consumers.feeds.hub import Hub
from consumers.wire import CloseCode
from tasks.models import TaskRun
from tasks.states import RunStatus

from ..conftest import Login
from ..connections import PATIENCE, Headers, socket
from ..fakes import envelope_of, seqs
from ..loops import settle
from ..rows import emit, stored

pytestmark = pytest.mark.usefixtures("anyone")

PATH = "/ws/tasks/"


class Client:
    """A page with one socket: says commands, and reads what comes in the order it comes."""

    def __init__(self, query: str = "", headers: Headers = ()) -> None:
        self.ws: WebsocketCommunicator = socket(PATH, query, headers)

    async def open(self) -> "Client":
        assert await self.ws.connect(PATIENCE) == (True, None)
        return self

    async def say(self, op: str, **rest: Any) -> None:
        rest = {name: str(item) if isinstance(item, UUID) else item for name, item in rest.items()}
        await self.ws.send_json_to({"op": op, **rest})

    async def hear(self) -> Any:
        """The next frame."""
        message = await self.ws.receive_output(PATIENCE)
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def ask(self, op: str, **rest: Any) -> Any:
        """Say it, and hear the next frame, which is the answer."""
        await self.say(op, **rest)
        return await self.hear()

    async def events(self, *counts: tuple[TaskRun, int]) -> dict[UUID, list[int]]:
        """The seqs of so many events of each run; nothing else may come between them."""
        found: dict[UUID, list[int]] = {run.pk: [] for run, _ in counts}
        for _ in range(sum(count for _, count in counts)):
            frame = await self.hear()
            found[UUID(frame["run"])].append(frame["seq"])
        return found

    async def closed(self) -> int:
        message = await self.ws.receive_output(PATIENCE)
        assert message["type"] == "websocket.close", message
        assert message["reason"]
        await self.ws.wait(PATIENCE)
        code: int = message["code"]
        return code

    async def leave(self) -> None:
        await self.ws.disconnect(timeout=PATIENCE)


async def test_runs_from_their_first_event_to_their_last(hub: Hub) -> None:
    one, two = await stored(events=3), await stored()
    client = await Client().open()
    assert await client.ask("subscribe", run=one.pk, ref=1) == {
        "op": "subscribe",
        "ref": 1,
        "run": str(one.pk),
        "ok": True,
        "after": 0,
    }
    assert await client.events((one, 3)) == {one.pk: [1, 2, 3]}
    assert (await client.ask("subscribe", run=two.pk, ref="b"))["ok"]
    await emit(two, 2)
    assert await client.events((two, 2)) == {two.pk: [1, 2]}
    await emit(one, 1, finish=True)
    assert (await client.hear())["type"] == "finished"
    ended = {"op": "ended", "run": str(one.pk), "after": 4, "ref": 1}
    assert await client.hear() == ended
    await emit(two, 1)
    assert await client.events((two, 1)) == {two.pk: [3]}
    assert hub.watched == 1
    await client.leave()
    assert hub.watched == 0


@pytest.mark.parametrize(("after", "expected"), [(2, [3, 4]), (None, [1, 2, 3, 4]), (4, [])])
async def test_a_cursor(hub: Hub, after: int | None, expected: list[int]) -> None:
    run = await stored(events=4, finish=True)
    client = await Client().open()
    answer = await client.ask("subscribe", run=run.pk, after=after)
    assert (answer["ok"], answer["after"]) == (True, after or 0)
    assert await client.events((run, len(expected))) == {run.pk: expected}
    assert await client.hear() == {"op": "ended", "run": str(run.pk), "after": 4}
    # It has ended, and can be had again.
    assert (await client.ask("subscribe", run=run.pk, after=3))["ok"]
    await client.leave()


async def test_latest(hub: Hub) -> None:
    run = await stored(events=400)
    client = await Client().open()
    answer = await client.ask("subscribe", run=run.pk, after="latest")
    assert answer["after"] == 400
    snapshot = await client.hear()
    assert (snapshot["type"], snapshot["seq"]) == ("snapshot", 400)
    assert snapshot["data"]["text"] is None
    await emit(run, 1)
    assert await client.events((run, 1)) == {run.pk: [401]}
    await client.leave()


async def test_unsubscribing_and_subscribing_again(hub: Hub) -> None:
    run, other = await stored(events=2), await stored()
    client = await Client().open()
    await client.ask("subscribe", run=other.pk)
    await client.ask("subscribe", run=run.pk)
    await client.events((run, 2))
    answer = await client.ask("unsubscribe", run=run.pk, ref=7)
    assert answer == {"op": "unsubscribe", "ref": 7, "run": str(run.pk), "ok": True}
    assert hub.watched == 1
    await emit(run, 3)
    await emit(other, 1)
    assert await client.events((other, 1)) == {other.pk: [1]}
    await client.ask("subscribe", run=run.pk, after=1)
    assert await client.events((run, 4)) == {run.pk: [2, 3, 4, 5]}
    await client.leave()


async def test_an_old_subscription_ends_before_the_answer(hub: Hub) -> None:
    """Said at once, with a log so long that it is under way meanwhile."""
    run = await stored(events=2_000)
    client = await Client().open()
    await client.say("subscribe", run=run.pk, ref="old")
    await client.say("unsubscribe", run=run.pk, ref="end")
    await client.say("subscribe", run=run.pk, ref="new", after=1_500)
    await emit(run, 1, finish=True)
    heard: dict[str, list[int]] = {}
    while (frame := await client.hear()).get("op") != "ended":
        if "op" in frame:
            ref = frame["ref"]
            heard[ref] = []
        else:
            heard[ref].append(frame["seq"])
    assert heard["old"] == seqs(1, len(heard["old"]))
    assert heard["end"] == []
    assert heard["new"] == seqs(1_501, 2_001)
    assert frame["ref"] == "new"
    await client.leave()


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


async def test_too_many(hub: Hub, settings: Any) -> None:
    settings.HEADWAY |= {"SUBSCRIPTIONS": 2}
    runs = [await stored() for _ in range(3)]
    client = await Client().open()
    for run in runs[:2]:
        assert (await client.ask("subscribe", run=run.pk))["ok"]
    refused = await client.ask("subscribe", run=runs[2].pk, ref=1)
    assert (refused["ref"], refused["error"]["code"]) == (1, "too_many")
    assert hub.watched == 2
    await client.ask("unsubscribe", run=runs[0].pk)
    assert (await client.ask("subscribe", run=runs[2].pk))["ok"]
    await client.leave()


async def test_an_ended_subscription_counts_no_more(hub: Hub, settings: Any) -> None:
    settings.HEADWAY |= {"SUBSCRIPTIONS": 1}
    client = await Client().open()
    for _ in range(3):
        run = await stored(events=1, finish=True)
        assert (await client.ask("subscribe", run=run.pk))["ok"]
        await client.events((run, 1))
        assert (await client.hear())["op"] == "ended"
    await client.leave()


async def test_rights_are_those_of_each_run(hub: Hub, settings: Any, ann: Login) -> None:
    settings.HEADWAY = {}
    hers, his = await stored(user=ann.user), await stored()
    client = await Client(headers=[ann.cookie]).open()
    assert (await client.ask("subscribe", run=hers.pk))["ok"]
    assert (await client.ask("subscribe", run=his.pk))["error"]["code"] == "forbidden"
    assert (await client.ask("stop", run=his.pk))["error"]["code"] == "forbidden"
    stranger = await Client().open()
    answer = await stranger.ask("subscribe", run=hers.pk)
    assert answer["error"]["code"] == "not_authenticated"
    await client.leave()
    await stranger.leave()


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


async def test_several_envelopes_a_frame_for_who_asks(hub: Hub) -> None:
    run = await stored(events=1_000, finish=True)
    client = await Client("batch=1").open()
    await client.ask("subscribe", run=run.pk)
    frames: list[list[int]] = []
    while True:
        message = await client.ws.receive_output(PATIENCE)
        lines = [json.loads(line) for line in message["text"].split("\n")]
        if "op" in lines[0]:
            break
        frames.append([line["seq"] for line in lines])
    assert [seq for frame in frames for seq in frame] == seqs(1, 1_000)
    assert len(frames) < 10
    await client.leave()


async def test_what_came_together_leaves_in_one_frame(hub: Hub) -> None:
    runs = [await stored(events=2) for _ in range(20)]
    client = await Client("batch=1").open()
    for run in runs:
        await client.say("subscribe", run=run.pk, after=2)
    for _ in runs:
        assert (await client.hear())["ok"]
    for run in runs:
        run_id = str(run.pk)
        hub._feeds[run_id].offer(3, [envelope_of(run.pk, 3)])  # as one message of the layer does
    message = await client.ws.receive_output(PATIENCE)
    found = [json.loads(line) for line in message["text"].split("\n")]
    assert {one["run"] for one in found} == {str(run.pk) for run in runs}
    assert [one["seq"] for one in found] == [3] * len(runs)
    await client.leave()


async def test_a_flood_leaves_the_others_their_turn(hub: Hub) -> None:
    flood, other = await stored(events=5_000, finish=True), await stored()
    client = await Client().open()
    await client.ask("subscribe", run=other.pk)
    await client.ask("subscribe", run=flood.pk)
    await emit(other, 1)
    before = 0
    while (await client.hear()).get("run") == str(flood.pk):
        before += 1
    assert before <= 3 * 512
    await client.leave()


async def test_a_deleted_run_ends_its_subscription_only(hub: Hub) -> None:
    run, other = await stored(events=1), await stored()
    client = await Client().open()
    await client.ask("subscribe", run=other.pk)
    await client.ask("subscribe", run=run.pk, ref=1)
    await client.events((run, 1))
    await sync_to_async(TaskRun.objects.filter(pk=run.pk).delete)()
    ended = await client.hear()
    assert (ended["op"], ended["ref"], ended["after"]) == ("ended", 1, 1)
    assert ended["error"]["code"] == "gone"
    await emit(other, 1)
    assert await client.events((other, 1)) == {other.pk: [1]}
    await client.leave()


@pytest.mark.parametrize("subscribed", [0, 3])
async def test_going_away(hub: Hub, subscribed: int) -> None:
    client = await Client().open()
    for _ in range(subscribed):
        await client.ask("subscribe", run=(await stored()).pk)
    await client.ask("ping")
    hub.close()
    assert await client.closed() == CloseCode.GOING_AWAY
    assert hub.watched == 0
    late = await Client().open()
    assert await late.closed() == CloseCode.GOING_AWAY


async def test_without_a_hub_the_client_comes_again(transactional_db: None) -> None:
    client = await Client().open()
    assert await client.closed() == CloseCode.GOING_AWAY


async def test_many_subscriptions_cost_no_task(hub: Hub) -> None:
    client = await Client().open()
    await client.ask("ping")
    before = asyncio.all_tasks()
    runs = [await stored() for _ in range(200)]
    for run in runs:
        assert (await client.ask("subscribe", run=run.pk))["ok"]
    assert asyncio.all_tasks() == before
    for run in runs:
        await emit(run, 1)
    assert await client.events(*((run, 1) for run in runs)) == {run.pk: [1] for run in runs}
    await client.leave()
    assert (hub.watched, hub.bundles) == (0, set())
    await settle()
    assert len(asyncio.all_tasks()) < len(before)
