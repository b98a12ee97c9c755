"""Events, and sockets that take any part of them, interleaved at random."""

import asyncio
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from consumers.asgi import Write
from consumers.feeds.chunk import Chunk
from consumers.feeds.turn import Outlet
from consumers.feeds.watcher import Watcher

from ..fakes import seqs
from .watchbench import Bench


@given(st.data())
async def test_whatever_sockets_take_each_client_reads_each_event_once(data: st.DataObject) -> None:
    """Interleaved at random: events, what a socket takes, other words on a connection."""
    bench = Bench()
    clients = [Client(bench.watch()) for _ in range(3)]
    reading = [asyncio.create_task(client.read()) for client in clients]
    for _ in range(data.draw(st.integers(1, 12))):
        bench.emit(data.draw(st.integers(1, 600)), publish=data.draw(st.booleans()))
        client = data.draw(st.sampled_from(clients))
        client.room = data.draw(st.sampled_from([0, 1, 7, 1_000_000]))
        if data.draw(st.booleans()):
            client.speak()
        for _ in range(data.draw(st.integers(0, 4))):
            await asyncio.sleep(0)  # so many turns of the loop
    bench.emit(1, finish=True)
    await asyncio.gather(*reading)
    assert [client.numbers for client in clients] == [seqs(1, bench.feed.head)] * 3


class Client:
    """A connection of either kind: what its socket does not take comes by the ordinary way."""

    def __init__(self, watcher: Watcher) -> None:
        self.room = 1_000_000
        self._got = bytearray()
        self._shut: Callable[[], None] | None = None
        self._watcher = watcher
        watcher.outlet = Outlet("seqs", _seqs, self)

    @property
    def numbers(self) -> list[int]:
        return [int(number) for number in self._got.replace(b"!", b"").split()]

    @property
    def framing(self) -> Callable[[bytes], bytes]:
        return bytes

    async def read(self) -> None:
        async for item in self._watcher:
            assert isinstance(item, Chunk)
            self.finish(_seqs(item))

    def speak(self) -> None:
        """As a ping of the server's does."""
        self.finish(b"!")

    def open(self, shut: Callable[[], None]) -> Write | None:
        self._shut = shut
        return self._write if self.room else None

    def finish(self, data: bytes) -> None:
        if self._shut is not None:
            shut, self._shut = self._shut, None
            shut()
        self._got += data

    def _write(self, data: bytes) -> int:
        assert self._shut is not None, "written to after it was shut"
        if not self.room:
            raise BlockingIOError
        self._got += data[: self.room]
        return min(self.room, len(data))


def _seqs(chunk: Chunk) -> bytes:
    return b"".join(b"%d " % seq for seq in range(chunk.first, chunk.last + 1))
