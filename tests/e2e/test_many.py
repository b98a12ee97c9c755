"""Many runs on one connection to a real server: exact, whoever else is connected."""

import asyncio
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from tests import streams
from tests.chaos.service.client import enqueue, enqueue_many, state
from tests.e2e.hopping import NOBODY, Hopper, socket
from tests.ledger import Ledger
from tests.stacks import Serve, Show
from tests.watchers import SocketWatcher, exactly, watching

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

RUNS = 200


async def test_200_runs_on_a_socket(
    serve: Serve, ledger: Ledger, rng: random.Random, show: Show, tmp_path: Path
) -> None:
    server = serve(message_rate=0).start()
    over = tmp_path / "over"
    runs = enqueue_many(server, "tick_until", *[(str(over), 0.3)] * RUNS)
    async with socket(server, "?batch=1") as one, socket(server) as two:
        hoppers = [Hopper(one, runs, rng), Hopper(two, runs, rng)]
        async with asyncio.timeout(150), asyncio.TaskGroup() as group:
            for hopper in hoppers:
                group.create_task(hopper.listen())
                for run_id in runs:
                    await hopper.say("subscribe", run_id)
            hopping = [group.create_task(hopper.hop(400)) for hopper in hoppers]
            await asyncio.wait(hopping)
            for hopper in hoppers:
                await hopper.answered()
            over.touch()
            for hopper in hoppers:
                await hopper.settle()
        assert sum(len(hopper.all) for hopper in hoppers) > RUNS * 3
        whole = {run_id: ledger.digest(run_id) for run_id in runs}
        for hopper in hoppers:
            ended = [item for item in hopper.all if item.ended]
            show(f"{len(hopper.all)} subscriptions, {hopper.events} events, {len(ended)} to an end")
            for item in ended:
                assert item.last == whole[item.run_id][0]
                assert item.after or item.digest == whole[item.run_id][1]
    for _ in range(200):
        if (now := state(server)).feeds == 0:
            break
        await asyncio.sleep(0.05)  # the server learns of the closed sockets
    assert (now.feeds, now.watchers) == (0, 0)


_BLOCK = re.compile(
    rb'id: (?P<id>\S+)\nevent: (?P<type>\S+)\ndata: (\{"run":"([^"]+)","seq":(\d+),.*\})\n\n'
)


async def test_several_runs_in_a_stream_that_is_cut_again_and_again(
    serve: Serve, ledger: Ledger, rng: random.Random, show: Show
) -> None:
    server = serve(message_rate=0).start()
    runs = enqueue_many(server, "emit", *[(100, 0.01)] * 20)
    path = "/tasks/events/?" + "&".join(f"run={run_id}" for run_id in runs)
    found = dict.fromkeys(runs, 0)
    cursor, connections, finished = "", 0, 0

    async def read(response: streams.Response, most: int) -> None:
        nonlocal cursor, finished
        body = b""
        async for chunk in response.chunks():
            body += chunk
            while block := _BLOCK.search(body):
                body = body[block.end() :]
                run_id, seq = block[4].decode(), int(block[5])
                assert seq == found[run_id] + 1
                found[run_id] = seq
                finished += block["type"] == b"finished"
                cursor = block["id"].decode()
                most -= 1
                if not most:
                    return  # whatever came with it is thrown away

    async with asyncio.timeout(150):
        while True:
            rng.shuffle(runs)
            headers = {"Last-Event-ID": cursor} if cursor else {}
            async with streams.get(server.port, path, headers) as response:
                if response.status == 204:
                    break
                assert response.status == 200
                connections += 1
                await read(response, rng.randint(1, 200))
    show(f"{connections} connections, ids of {len(cursor)} characters")
    assert connections > 5
    assert finished == len(runs)
    assert found == {run_id: ledger.digest(run_id)[0] for run_id in found}


async def hear_all(ws: ClientConnection, count: int) -> list[dict[str, Any]]:
    return [json.loads(await ws.recv()) for _ in range(count)]


def nonsense(rng: random.Random) -> dict[str, Any]:
    values: list[Any] = [None, True, -1, 0, 2**70, 1.5, "", "x" * 200, "latest", NOBODY, [], {}]
    ops = ["subscribe", "unsubscribe", "stop", "ping", "retry", "", None, 3, ["ping"], {"op": 1}]
    made = {
        name: rng.choice(values) for name in ("run", "after", "ref", "more") if rng.random() < 0.7
    }
    return {"op": rng.choice(ops), **made}


@pytest.mark.parametrize("shouts", [2_000, pytest.param(10_000, marks=pytest.mark.soak)])
async def test_hostile_clients_beside_a_stream(
    serve: Serve, ledger: Ledger, rng: random.Random, show: Show, shouts: int
) -> None:
    server = serve(message_rate=0, subscriptions=100, concurrency=300).start()
    run_id = enqueue(server, "emit", 1_000, 0.002)
    runs = enqueue_many(server, "emit", *[(100_000, 0.5)] * 150)
    watcher = SocketWatcher(server.port, run_id)
    before = server.usage().rss
    async with watching([watcher]), socket(server) as mute, socket(server) as fuzzer:
        await watcher.reach(5)
        # Never reads: what it has asked for waits in the sockets and here, and there alone.
        mute.transport.pause_reading()
        sending = asyncio.create_task(shout(mute, runs, shouts))
        for _ in range(10):
            commands = [nonsense(rng) for _ in range(50)]
            for command in commands:
                await fuzzer.send(json.dumps(command))
            answers = await hear_all(fuzzer, len(commands))
            for command, answer in zip(commands, answers, strict=True):
                assert "error" in answer or answer["op"] == "pong", (command, answer)
                assert answer.get("ref") == command.get("ref") or answer["ref"] is None
        await asyncio.wait([sending])
        # It has more than it may, and it has waited for all of its answers.
        mute.transport.resume_reading()
        heard: list[dict[str, Any]] = []
        while len(heard) < shouts:
            heard += [item for item in await hear_all(mute, 1) if "op" in item]
    show(f"{(server.usage().rss - before) >> 10} KB more")
    assert server.usage().rss - before < 40 << 20
    assert [answer["ref"] for answer in heard] == list(range(shouts))
    codes = {answer.get("error", {}).get("code") for answer in heard}
    assert codes == {None, "too_many"}
    exactly([watcher], ledger)


async def shout(ws: ClientConnection, runs: list[str], times: int) -> None:
    for number in range(times):
        command = {"op": "subscribe", "run": runs[number % len(runs)], "ref": number}
        await ws.send(json.dumps(command))
