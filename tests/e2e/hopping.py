"""A client of the socket for many runs that comes and goes at random."""

import asyncio
import json
import random
from typing import Any
from zlib import crc32

from websockets.asyncio.client import ClientConnection, connect

from tests.frames import parse_message
from tests.live import LiveServer

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
