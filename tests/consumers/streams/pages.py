"""Pages with a socket for many runs, in a world that moves only when told to."""

import asyncio
import json
from typing import Any
from uuid import UUID

from consumers.access.admission import Admission
from consumers.access.auth import Access, Action
from consumers.asgi import Message
from consumers.streams.bundlesocket import BundleSocket
from tasks.models import TaskRun

from ..feeds.world import World, cancelled
from ..loops import settle

__all__ = ["Page", "PageWorld"]


class Page:
    """A client that forgives nothing: every frame is judged when it is sent."""

    def __init__(self, world: World, batched: bool) -> None:
        self.world = world
        #: What it is subscribed to as far as it was told, and the last event of each.
        self.active: dict[UUID, int] = {}
        #: Commands without an answer yet, by ref.
        self.asked: dict[int, str] = {}
        self._said = 0
        self.reading = asyncio.Event()
        self.reading.set()
        self._heard: asyncio.Queue[Message] = asyncio.Queue()
        query = b"batch=1" if batched else b""
        scope = {"type": "websocket", "path": "/ws/tasks/", "query_string": query}
        self._heard.put_nowait({"type": "websocket.connect"})
        self._socket = _Socket(world, scope, self._heard.get, self._send)
        self.task = asyncio.create_task(self._socket.open())

    def say(self, op: str, run_id: UUID, after: int | str = 0) -> None:
        ref = self._said
        self._said += 1
        self.asked[ref] = op
        command = {"op": op, "ref": ref, "run": str(run_id), "after": after}
        self._heard.put_nowait({"type": "websocket.receive", "text": json.dumps(command)})

    def leave(self) -> None:
        self._heard.put_nowait({"type": "websocket.disconnect", "code": 1006})

    def check(self) -> None:
        """Whatever went wrong in the socket, a judgement of ours too, has ended it."""
        if self.task.done():
            self.task.result()
            raise AssertionError("The socket has ended.")

    async def _send(self, message: Message) -> None:
        if message["type"] != "websocket.accept":
            for line in message["text"].split("\n"):
                self._judge(json.loads(line), line.encode())
        await self.reading.wait()

    def _judge(self, frame: dict[str, Any], text: bytes) -> None:
        run_id = UUID(frame["run"]) if "run" in frame else UUID(int=0)
        if "op" not in frame:
            if frame["type"] == "snapshot":
                assert frame["seq"] == self.active[run_id]
                return
            # Of a subscription, the next one, and word for word.
            self.active[run_id] += 1
            assert frame["seq"] == self.active[run_id]
            assert text == self.world.log.runs[run_id][frame["seq"] - 1]
            return
        if frame["op"] == "ended":
            assert run_id in self.world.log.finished
            assert self.active.pop(run_id) == frame["after"] == len(self.world.log.runs[run_id])
            return
        # One answer to each, in the order in which they were asked.
        ref = min(self.asked)
        assert ref == frame["ref"]
        assert frame["op"] == {"ping": "pong"}.get(self.asked[ref], self.asked[ref])
        self._settle(frame, run_id)

    def _settle(self, frame: dict[str, Any], run_id: UUID) -> None:
        code = frame.get("error", {}).get("code")
        match frame["op"], code:
            case "subscribe", None:
                assert run_id not in self.active
                self.active[run_id] = frame["after"]
            case "subscribe", "subscribed":
                assert run_id in self.active
            case "unsubscribe", None:
                del self.active[run_id]
            case other:
                assert other in [("pong", None), ("unsubscribe", "not_subscribed")]
        del self.asked[frame["ref"]]


class PageWorld(World):
    """Pages beside the readers."""

    def __init__(self, runs: list[UUID]) -> None:
        self.pages: list[Page] = []
        super().__init__(runs)

    def open(self, batched: bool) -> None:
        async def opened() -> Page:
            return Page(self, batched)

        self.pages.append(self._run(opened()))

    def close_page(self, index: int) -> None:
        page = self.pages.pop(index)
        page.check()
        page.leave()
        page.reading.set()
        self.turn(10 * (len(page.asked) + 1))  # it is heard after what it said before
        assert page.task.done()
        page.task.result()

    def check(self) -> None:
        super().check()
        for page in self.pages:
            page.check()

    def finish(self) -> None:
        for page in self.pages:
            page.reading.set()
        super().finish()
        self.check()

    def everyone_is_done(self) -> bool:
        waiting = any(page.active or page.asked for page in self.pages)
        return super().everyone_is_done() and not waiting

    def close(self) -> None:
        for page in self.pages:
            self._run(cancelled(page.task))
        super().close()


class _Socket(BundleSocket):
    """Rights are another matter; who asks for them waits a little, and the run moves on."""

    def __init__(self, world: World, *asgi: Any) -> None:
        super().__init__(*asgi)
        self._world = world

    async def _identity(self) -> None:
        return None

    async def _admit(self, run: str | TaskRun, action: Action) -> Access:
        row = self._world.row(UUID(str(run)))
        await settle(2)
        anybody: Any = None
        return Access(anybody, row, Admission())
