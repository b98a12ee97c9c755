"""Clients that watch a run as a browser does, and forgive nothing.

They connect again for as long as the run has not finished, each time after the last event
they have. What arrives is checked at once: the next number and no other, the frame and its
envelope of one mind, ``finished`` last.
"""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any
from zlib import crc32

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from tests import streams
from tests.frames import Batch, parse_blocks, parse_message
from tests.ledger import Ledger

__all__ = ["REFUSALS", "End", "SocketWatcher", "StreamWatcher", "Watcher", "exactly", "watching"]

# Seconds between two tries. Only an obedient watcher waits for as long as a farewell asks.
PAUSE = 0.05
SPREAD = 6.0  # seconds over which the clients of WebSockets come again
# A process that does not serve yet; a proxy that reaches none.
REFUSALS = (502, 503, 504)


class End(StrEnum):
    """How a connection came to its end."""

    FINISHED = "finished"  # in order, after the last event
    NOTHING_LEFT = "nothing left"  # 204: the last event came on an earlier connection
    FAREWELL = "farewell"  # in order, and told to connect again
    CUT = "cut"
    REFUSED = "refused"  # never there: no server, or one that does not serve yet


class Watcher(ABC):
    """One client; *ports* are those of the servers it may ask, one after the other.

    An *obedient* one comes again when the farewell says, as a browser does.
    """

    def __init__(
        self,
        ports: int | Sequence[int],
        run_id: str,
        *,
        after: int = 0,
        headers: Mapping[str, str] | None = None,
        obedient: bool = False,
    ) -> None:
        self.obedient = obedient
        self.ports = [ports] if isinstance(ports, int) else list(ports)
        self.run_id = run_id
        self.cursor = after
        self.headers = dict(headers or {})
        #: Every event that arrived, in the order in which it did.
        self.seqs: list[int] = []
        #: CRC-32 of what the events say.
        self.digest = 0
        #: How its connections ended, the refused ones of one outage as one.
        self.ends: list[End] = []
        self.finished = False
        #: With the last farewell: a stream's delay in milliseconds, a socket's close code.
        self.told = 0
        #: Seconds that the last farewell asked for.
        self.asked = PAUSE
        #: When it came again after each farewell, by the loop's clock.
        self.returns: list[float] = []
        self._moved = asyncio.Event()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.run_id} at {self.cursor}, {self.ends}>"

    async def watch(self) -> None:
        """Watch until the run has finished, however many connections it takes."""
        while self.ends[-1:] not in ([End.FINISHED], [End.NOTHING_LEFT]):
            if self.ends:
                await self._pause()
            end = await self.connect_once()
            if end is not End.REFUSED or self.ends[-1:] != [End.REFUSED]:
                self.ends.append(end)
            self.ports.append(self.ports.pop(0))
        assert self.finished, self

    async def _pause(self) -> None:
        bidden = self.ends[-1] is End.FAREWELL
        pause = self.asked if bidden and self.obedient else PAUSE
        await asyncio.sleep(pause)  # it was asked to, or the server is down and not hammered
        if bidden:
            self.returns.append(asyncio.get_running_loop().time())

    async def reach(self, seq: int) -> None:
        """Wait until the event *seq* has arrived."""
        while self.cursor < seq:
            self._moved.clear()
            await self._moved.wait()

    @abstractmethod
    async def connect_once(self) -> End:
        """Connect, and take what comes until the connection ends."""

    def _take(self, batch: Batch) -> None:
        if batch.seqs:
            assert batch.seqs[0] == self.cursor + 1, f"{batch.seqs} comes to {self!r}"
            assert batch.runs == {self.run_id}, f"{batch.runs} comes to {self!r}"
            assert not self.finished, f"{batch.seqs} comes after the end to {self!r}"
            self.cursor = batch.seqs[-1]
            self.seqs.extend(batch.seqs)
            self.digest = crc32(batch.content, self.digest)
            self.finished = batch.finished
            self._moved.set()


class StreamWatcher(Watcher):
    """Over Server-Sent Events."""

    async def connect_once(self) -> End:
        headers = {"Accept": "text/event-stream", **self.headers}
        if self.cursor:
            headers["Last-Event-ID"] = str(self.cursor)
        try:
            path = f"/tasks/{self.run_id}/events/"
            async with streams.get(self.ports[0], path, headers) as response:
                if response.status in REFUSALS:
                    return End.REFUSED
                if response.status == 204:
                    return End.NOTHING_LEFT
                assert response.status == 200, f"{await response.text()} for {self!r}"
                assert response.headers["content-type"].startswith("text/event-stream")
                return await self._read(response)
        except ConnectionRefusedError:
            return End.REFUSED
        except (ConnectionError, TimeoutError):
            return End.CUT

    async def _read(self, response: streams.Response) -> End:
        blocks = parse_blocks(b"")
        async for chunk in response.chunks():
            blocks = parse_blocks(blocks.rest + chunk)
            self._take(blocks.batch)
        assert not blocks.rest, blocks.rest
        if self.finished:
            return End.FINISHED
        assert blocks.retry is not None, f"no word of when to come again for {self!r}"
        self.told = blocks.retry
        self.asked = blocks.retry / 1000
        return End.FAREWELL


class SocketWatcher(Watcher):
    """Over a WebSocket; *batch* asks for several events in a frame, as the page's client does."""

    def __init__(
        self, ports: int | Sequence[int], run_id: str, *, batch: bool = False, **options: Any
    ) -> None:
        super().__init__(ports, run_id, **options)
        self.batch = batch

    async def connect_once(self) -> End:
        query = f"?after={self.cursor}" + ("&batch=1" if self.batch else "")
        url = f"ws://127.0.0.1:{self.ports[0]}/ws/tasks/{self.run_id}/{query}"
        try:
            async with connect(
                url,
                additional_headers=self.headers,
                compression=None,
                ping_interval=None,
                max_size=None,
                proxy=None,
                open_timeout=streams.CONNECT_TIMEOUT,
            ) as socket:
                async for message in socket:
                    self._take(parse_message(message))
                # The iteration ends in silence for code 1000 only.
                assert self.finished, self
                return End.FINISHED
        except ConnectionClosed as closed:
            return self._closed(closed)
        except InvalidStatus as refused:
            if refused.response.status_code not in REFUSALS:
                raise
            return End.REFUSED
        except ConnectionRefusedError:
            return End.REFUSED
        except (OSError, EOFError, InvalidHandshake):
            return End.CUT

    def _closed(self, closed: ConnectionClosed) -> End:
        if closed.rcvd is None:
            return End.CUT
        # uvicorn says 1012 (service restart, IANA's registry) before the application can.
        assert closed.rcvd.code in (4012, 1012), f"{closed} for {self!r}"
        self.told = closed.rcvd.code
        self.asked = random.uniform(0.0, SPREAD)  # as headway.js does
        return End.FAREWELL


@asynccontextmanager
async def watching(watchers: Sequence[Watcher]) -> AsyncIterator[None]:
    """Let all of them watch; leaving the context waits until each has seen the end.

    One that sees what it must not fails the test at once, wherever that is waiting.
    """
    async with asyncio.TaskGroup() as group:
        for number, watcher in enumerate(watchers):
            group.create_task(watcher.watch(), name=f"watcher {number}")
        yield


def exactly(watchers: Sequence[Watcher], ledger: Ledger) -> None:
    """Each has got its run's log: 1 to n, once each and in order, word for word, to its end."""
    digests = {run_id: ledger.digest(run_id) for run_id in {item.run_id for item in watchers}}
    for watcher in watchers:
        count, digest = digests[watcher.run_id]
        assert watcher.seqs == list(range(1, count + 1)), watcher
        assert watcher.digest == digest, watcher
        assert watcher.finished, watcher  # it is an error that anything comes after it
