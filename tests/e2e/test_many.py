"""Many runs on one connection to a real server: exact, whoever else is connected."""

import asyncio
import json
import random
import re
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests import streams
from tests.chaos.service.client import enqueue, enqueue_many, state
from tests.frames import parse_message
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.stacks import Serve, Show
from tests.watchers import SocketWatcher, exactly, watching

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

RUNS = 200
NOBODY = "00000000-0000-7000-8000-000000000000"


def socket(server: LiveServer, query: str = "") -> connect:
    return connect(
        f"{server.ws_url}/ws/tasks/{query}",
        compression=None,
        ping_interval=None,
        max_size=None,
        proxy=None,
    )


class Subscription:
    """What came between an answer to ``subscribe`` and the end."""

    def __init__(self, run_id: str, after: int) -> None:
        self.run_id = run_id
        self.after = after
        self.last = after
        self.digest = 0
        self.ended = False


class Hopper:
    """Subscribes and unsubscribes at random, without waiting for answers."""

    def __init__(self, ws: ClientConnection, runs: list[str], rng: random.Random) -> None:
        self.ws = ws
        self.runs = runs
        self.rng = rng
        self.active: dict[str, Subscription] = {}
        self.all: list[Subscription] = []
        self.done: set[str] = set()
        self.events = 0
        self._heads = dict.fromkeys(runs, 0)
        self._asked: dict[int, dict[str, Any]] = {}
        self._said = 0
        self._answered = asyncio.Event()

    async def say(self, op: str, run_id: str, after: int | str = 0) -> None:
        self._said += 1
        command = {"op": op, "ref": self._said, "run": run_id, "after": after}
        self._asked[self._said] = command
        await self.ws.send(json.dumps(command))

    async def hop(self, times: int) -> None:
        for _ in range(times):
            run_id = self.rng.choice(self.runs)
            after: int | str = self.rng.choice([0, self._heads[run_id], -1])
            after = "latest" if after == -1 else after
            match self.rng.randrange(4):
                case 0:
                    await self.say("unsubscribe", run_id)
                case 1:
                    await self.say("unsubscribe", run_id)
                    await self.say("subscribe", run_id, after)
                case 2:
                    await self.say("subscribe", run_id, after)
                case _:
                    await self.say("subscribe", NOBODY)
            await asyncio.sleep(self.rng.uniform(0, 0.006))  # chance decides, and events come

    async def answered(self) -> None:
        """Until all is answered that was said."""
        self._answered.clear()
        if self._asked:
            await self._answered.wait()

    async def listen(self) -> None:
        """Until every run's end was seen by a subscription that began with its beginning."""
        while len(self.done) < len(self.runs):
            text = await self.ws.recv()
            assert isinstance(text, str)
            if text.startswith('{"op"'):
                self._hear(json.loads(text))
                continue
            for line in text.split("\n"):
                self._take(line)

    def _take(self, line: str) -> None:
        batch = parse_message(line)
        (run_id,) = batch.runs
        subscription = self.active[run_id]
        if line.startswith(f'{{"run":"{run_id}","seq":{subscription.last},"type":"snapshot"'):
            return
        assert batch.seqs[0] == subscription.last + 1, (subscription.__dict__, batch.seqs)
        subscription.last = batch.seqs[0]
        subscription.digest = crc32(batch.content, subscription.digest)
        subscription.ended = batch.finished
        self._heads[run_id] = max(self._heads[run_id], subscription.last)
        self.events += 1

    def _hear(self, answer: dict[str, Any]) -> None:
        if answer["op"] == "ended":
            ended = self.active.pop(answer["run"])
            assert answer["after"] == ended.last, answer
            assert "error" not in answer, answer
            ended.ended = True
            if not ended.after:
                self.done.add(ended.run_id)
            return
        ref = min(self._asked)
        asked = self._asked.pop(ref)
        if not self._asked:
            self._answered.set()
        assert (answer["ref"], answer["op"]) == (ref, asked["op"]), answer
        run_id = asked["run"]
        match answer["op"], answer.get("error", {}).get("code"):
            case "subscribe", None:
                assert run_id not in self.active
                self.active[run_id] = Subscription(run_id, answer["after"])
                self.all.append(self.active[run_id])
            case "subscribe", "subscribed":
                assert run_id in self.active
            case "unsubscribe", None:
                del self.active[run_id]
            case "unsubscribe", "not_subscribed":
                assert run_id not in self.active
            case other:
                assert other == ("subscribe", "no_such_run")
                assert run_id == NOBODY

    async def settle(self) -> None:
        """Begin everything anew that was not seen from its beginning to its end."""
        for run_id in self.runs:
            await self.say("unsubscribe", run_id)
            await self.say("subscribe", run_id)


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
