"""Who watches in every way at once, and a rule that changes its mind."""

import json
import threading
from typing import Any

from asgiref.sync import sync_to_async

from consumers.wire import CloseCode
from tasks.models import TaskRun

from ..bundleclient import Client
from ..conftest import Login
from ..connections import PATIENCE, HttpStream, events_path, socket
from ..rows import emit
from ..runsocket import closing, opened


class Watching:
    """One watcher of each kind: two runs' worth of streams and sockets."""

    def __init__(self, run: TaskRun, headers: Any) -> None:
        self.run = run
        self.headers = headers

    async def open(self) -> "Watching":
        many = f"run={self.run.pk}"
        self.stream = await HttpStream(events_path(self.run.pk), headers=self.headers).open()
        self.streams = await HttpStream("/tasks/events/", many, headers=self.headers).open()
        self.socket = await opened(socket(self.run.pk, headers=self.headers))
        self.sockets = await Client(headers=self.headers).open()
        assert (self.stream.status, self.streams.status) == (200, 200)
        assert (await self.sockets.ask("subscribe", run=self.run.pk, ref=7))["ok"]
        await self.reach(1)
        return self

    async def reach(self, seq: int) -> None:
        """All of them get the event that is emitted now."""
        await emit(self.run, 1)
        assert json.loads((await self.socket.receive_output(PATIENCE))["text"])["seq"] == seq
        assert (await self.sockets.hear())["seq"] == seq
        await self.stream.until(seq)
        while f'"seq":{seq},'.encode() not in await self.streams.chunk():
            pass

    async def ended(self, code: CloseCode, reason: str) -> None:
        """All have ended, with nothing more of the run."""
        for stream in (self.stream, self.streams):
            assert b"data:" not in await stream.body()
        assert (await closing(self.socket))[0] == code
        frame = await self.sockets.ws.receive_output(PATIENCE)
        if frame["type"] == "websocket.send":
            said = json.loads(frame["text"])
            assert (said["op"], said["ref"], said["error"]["code"]) == ("ended", 7, reason)
            self.socket_stays = True
        else:
            assert frame["code"] == code
            self.socket_stays = False


async def again(run: TaskRun, headers: Any) -> list[int]:
    """What clients hear that come again."""
    stream = await HttpStream(events_path(run.pk), headers=headers).open()
    code, _ = await closing(await opened(socket(run.pk, headers=headers)))
    return [stream.status, code]


def log_out(ann: Login) -> Any:
    return ann.client.alogout()


class Rule:
    """AUTHZ that changes its mind, and counts how often it is asked."""

    def __init__(self) -> None:
        self.answer: Any = True
        self.asked = 0
        self.threads: set[str] = set()

    def __call__(self, user: Any, run: TaskRun, action: str) -> Any:
        self.asked += 1
        self.threads.add(threading.current_thread().name)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def asynchronous(self, user: Any, run: TaskRun, action: str) -> Any:
        await sync_to_async(self)(user, run, action)
        return self(user, run, action)
