"""A run's events over a WebSocket, through the real routing, login and hub."""

import asyncio
import json
from itertools import pairwise
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from consumers.feeds.hub import Hub
from consumers.wire import CloseCode
from tasks.models import TaskRun
from tasks.states import RunStatus

from ..connections import PATIENCE, socket
from ..fakes import seqs
from ..loops import lasting, settle
from ..rows import emit, stored
from ..runsocket import closing, envelopes, opened, refused, text

pytestmark = pytest.mark.usefixtures("anyone")


async def test_a_run_from_its_first_event_to_its_last(hub: Hub) -> None:
    run = await stored(events=3)
    ws = await opened(socket(run.pk))
    first = json.loads(await text(ws))
    assert first.keys() == {"run", "seq", "type", "at", "data"}
    assert (first["run"], first["seq"], first["data"]) == (str(run.pk), 1, {"a": "b"})
    await emit(run, 2)
    await emit(run, 1, finish=True)
    found, code = await envelopes(ws)
    assert [envelope["seq"] for envelope in found] == seqs(2, 6)
    assert found[-1]["type"] == "finished"
    assert code == CloseCode.FINISHED
    assert hub.watched == 0


async def test_a_path_without_the_last_slash(hub: Hub) -> None:
    run = await stored(events=1, finish=True)
    found, code = await envelopes(await opened(socket(f"/ws/tasks/{run.pk}")))
    assert (len(found), code) == (1, 1000)


@pytest.mark.parametrize(
    ("query", "headers", "expected"),
    [
        ("after=2", [], seqs(3, 4)),
        ("after=4", [], []),
        ("", [(b"last-event-id", b"3")], [4]),
    ],
)
async def test_a_cursor(hub: Hub, query: str, headers: Any, expected: list[int]) -> None:
    run = await stored(events=4, finish=True)
    found, code = await envelopes(await opened(socket(run.pk, query, headers)))
    assert [envelope["seq"] for envelope in found] == expected
    assert code == 1000


async def test_latest(hub: Hub) -> None:
    run = await stored(events=400)
    ws = await opened(socket(run.pk, "after=latest"))
    snapshot = json.loads(await text(ws))
    assert (snapshot["type"], snapshot["seq"]) == ("snapshot", 400)
    await settle()
    await emit(run, 1, finish=True)
    found, _ = await envelopes(ws)
    assert [envelope["seq"] for envelope in found] == [401]


async def test_several_envelopes_a_frame_for_who_asks(hub: Hub) -> None:
    run = await stored(events=1_000, finish=True)
    ws = await opened(socket(run.pk, "batch=1"))
    frames = []
    while (message := await ws.receive_output(PATIENCE))["type"] == "websocket.send":
        frames.append(message["text"].split("\n"))
    assert [json.loads(line)["seq"] for lines in frames for line in lines] == seqs(1, 1_000)
    assert len(frames) < 10


async def test_a_long_log_leaves_the_loop_to_others(hub: Hub) -> None:
    run = await stored(events=1_000, finish=True)
    turns: list[int] = []
    sent: list[str] = []

    async def other() -> None:
        while True:
            turns.append(len(sent))
            await asyncio.sleep(0)  # its turn is over

    ws = await opened(socket(run.pk))
    ws.output_queue.put_nowait = sent.append
    beside = asyncio.create_task(other())
    await ws.wait(PATIENCE)
    beside.cancel()
    assert len(sent) == 1_001
    assert max(after - before for before, after in pairwise(turns)) < 100


async def test_ping(hub: Hub) -> None:
    run = await stored()
    ws = await opened(socket(run.pk))
    await ws.send_json_to({"op": "ping"})
    assert json.loads(await text(ws)) == {"op": "pong"}
    await ws.disconnect()


async def test_stop(hub: Hub) -> None:
    run = await stored(status=RunStatus.READY)
    ws = await opened(socket(run.pk))
    await ws.send_json_to({"op": "stop"})
    answers = [json.loads(await text(ws))]
    while "op" not in answers[-1]:
        answers.append(json.loads(await text(ws)))
    assert answers[-1] == {"op": "stop", "ok": True}
    await sync_to_async(run.refresh_from_db)()
    assert run.status == RunStatus.CANCELLED
    await ws.disconnect()


async def test_a_stop_that_is_not_allowed_leaves_the_stream(hub: Hub, settings: Any) -> None:
    settings.HEADWAY = {"AUTHZ": lambda user, run, action: action != "stop"}
    run = await stored()
    ws = await opened(socket(run.pk))
    await ws.send_json_to({"op": "stop"})
    answer = json.loads(await text(ws))
    assert (answer["op"], answer["error"]["code"]) == ("stop", "not_authenticated")
    await emit(run, 1, finish=True)
    found, code = await envelopes(ws)
    assert ([envelope["seq"] for envelope in found], code) == ([1], 1000)


async def test_disconnecting_releases_everything(hub: Hub) -> None:
    run = await stored(events=1)
    before = lasting()
    sockets = [await opened(socket(run.pk)) for _ in range(5)]
    for ws in sockets:
        await text(ws)
    assert hub.watched == 1
    for ws in sockets:
        await ws.disconnect(timeout=PATIENCE)
    assert hub.watched == 0
    await settle()
    assert lasting() == before


async def test_going_away(hub: Hub) -> None:
    run = await stored()
    ws = await opened(socket(run.pk))
    await settle()
    hub.close()
    assert (await closing(ws))[0] == CloseCode.GOING_AWAY


async def test_a_deleted_run(hub: Hub) -> None:
    run = await stored(events=1)
    ws = await opened(socket(run.pk))
    await text(ws)
    await sync_to_async(TaskRun.objects.all().delete)()
    assert (await closing(ws))[0] == CloseCode.NOT_FOUND


async def test_without_a_hub_the_client_comes_again(transactional_db: None) -> None:
    run = await stored()
    assert await refused(socket(run.pk)) == CloseCode.GOING_AWAY


async def test_a_client_that_has_gone_before_it_is_let_in(hub: Hub) -> None:
    run = await stored()
    ws = socket(run.pk)
    await ws.send_input({"type": "websocket.connect"})
    await ws.send_input({"type": "websocket.disconnect", "code": 1006})
    await ws.wait(PATIENCE)
    assert hub.watched == 0


@pytest.mark.parametrize("many", [False, True])
async def test_one_who_goes_after_a_silence(hub: Hub, many: bool) -> None:
    """Of which there is a last item that is no last word."""
    run = await stored(1)
    ws = await opened(socket("/ws/tasks/" if many else run.pk))
    if many:
        await ws.send_json_to({"op": "subscribe", "run": str(run.pk)})
        await text(ws)
    await text(ws)
    await settle()
    for feed in hub._feeds.values():
        feed.beat(0)
    for bundle in hub.bundles:
        bundle.beat(0)
    await settle()
    await ws.disconnect(timeout=PATIENCE)  # raises what the application does
    assert hub.watched == 0
