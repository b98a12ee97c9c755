"""Clients that watch several runs over one connection, as exact as those of one."""

import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from tests import streams
from tests.frames import parse_message
from tests.watchers import REFUSALS, End, SocketWatcher, StreamWatcher, Watcher

__all__ = ["BundleSocketWatcher", "BundleStreamWatcher", "BundleWatcher"]

_BLOCK = re.compile(
    rb'(?:id: (?P<id>\S+)\nevent: [^\n]+\ndata: (?P<data>\{"run":"[^\n]+)'
    rb"|retry: (?P<retry>\d+)(?:\n: heartbeat [\d.]+)?|: heartbeat)\n\n"
)


class BundleWatcher(Watcher):
    """Its :attr:`parts` have what each run has said; they connect to nothing themselves."""

    def __init__(self, ports: int | Sequence[int], runs: Sequence[str], **options: Any) -> None:
        super().__init__(ports, " ".join(runs), **options)
        self.parts: dict[str, Watcher] = {run: StreamWatcher(ports, run) for run in runs}

    def _hear(self, envelope: str) -> None:
        batch = parse_message(envelope)
        (run_id,) = batch.runs
        self.parts[run_id]._take(batch)
        self.cursor += len(batch.seqs)
        self.finished = all(part.finished for part in self.parts.values())
        self._moved.set()


class BundleStreamWatcher(BundleWatcher):
    """Over one event stream."""

    _id = ""

    async def connect_once(self) -> End:
        headers = {**self.headers, **({"Last-Event-ID": self._id} if self._id else {})}
        path = "/tasks/events/?" + "&".join(f"run={run_id}" for run_id in self.parts)
        try:
            async with streams.get(self.ports[0], path, headers) as response:
                if response.status in REFUSALS:
                    return End.REFUSED
                if response.status == 204:
                    return End.NOTHING_LEFT
                assert response.status == 200, f"{await response.text()} for {self!r}"
                return await self._read(response)
        except ConnectionRefusedError:
            return End.REFUSED
        except (ConnectionError, TimeoutError):
            return End.CUT

    async def _read(self, response: streams.Response) -> End:
        rest, retry = b"", None
        async for chunk in response.chunks():
            rest += chunk
            while block := _BLOCK.match(rest):
                rest = rest[block.end() :]
                retry = block["retry"]
                if block["data"]:
                    self._hear(block["data"].decode())
                    self._id = block["id"].decode()
        assert not rest, rest
        if self.finished:
            return End.FINISHED
        assert retry is not None, f"no word of when to come again for {self!r}"
        self.told = int(retry)
        self.asked = self.told / 1000
        return End.FAREWELL


class BundleSocketWatcher(BundleWatcher, SocketWatcher):
    """Over one WebSocket."""

    async def connect_once(self) -> End:
        try:
            async with self._connected() as socket:
                return await self._listen(socket)
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

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[ClientConnection]:
        async with connect(
            f"ws://127.0.0.1:{self.ports[0]}/ws/tasks/",
            additional_headers=self.headers,
            compression=None,
            ping_interval=None,
            max_size=None,
            proxy=None,
            open_timeout=streams.CONNECT_TIMEOUT,
        ) as socket:
            yield socket

    async def _listen(self, socket: ClientConnection) -> End:
        for run_id, part in self.parts.items():
            if not part.finished:
                command = {"op": "subscribe", "run": run_id, "after": part.cursor}
                await socket.send(json.dumps(command))
        while not self.finished:
            text = await socket.recv()
            assert isinstance(text, str)
            if text.startswith('{"op"'):
                assert "error" not in text, text
            else:
                self._hear(text)
        return End.FINISHED
