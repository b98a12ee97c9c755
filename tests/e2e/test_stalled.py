"""Clients that read nothing at all: they cost little, disturb nobody, and lose nothing."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self

import pytest

from tests.asgi_app.readers import chunks, frames, plain, request
from tests.asgi_app.sockets import read_until
from tests.bench.spec import Spec
from tests.bench.watchers import Watchers
from tests.chaos.service.client import enqueue
from tests.chaos.service.marks import leave
from tests.frames import parse_blocks, parse_message
from tests.ledger import Ledger
from tests.live import LiveServer, Server
from tests.stacks import Serve, Show
from tests.watchers import SocketWatcher, StreamWatcher, Watcher

pytestmark = pytest.mark.e2e

_FINISHED = b"\x03\xe8"  # the code 1000, at the end of a close frame
RATE, SIZE = 1000.0, 10_000  # together 10 MB a second
READERS = 2  # of each kind, who do read
STUCK = 3.0  # seconds
LONG = 60  # seconds
GROWTH = 4_000_000  # bytes that one stalled reader may cost
# Between two measures of the same thing on a machine that does other work as well.
NOISE_BYTES, NOISE_SECONDS = 4_000_000, 0.1


class Flood(NamedTuple):
    run_id: str
    p99: float  # seconds until the readers had an event
    peak: int  # bytes of the server's memory


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(5, id="short"),
        pytest.param(LONG, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(900)]),
    ],
)
async def test_who_reads_nothing_costs_nobody_anything(
    serve: Serve, ledger: Ledger, tmp_path: Path, show: Show, seconds: int
) -> None:
    # What a process keeps where the machine is slow, whoever reads, is kept small: what is
    # measured is the readers'.
    server = serve(stuck=STUCK, journal_events=100, replay_bytes=1 << 20).start()
    await asyncio.to_thread(flood, server, tmp_path / "first", 2)  # it has grown as it will
    alone = await asyncio.to_thread(flood, server, tmp_path / "alone", seconds)
    with Stalled(server, False) as stream, Stalled(server, True) as websocket:
        beside = await asyncio.to_thread(
            flood, server, tmp_path / "beside", seconds, [stream, websocket]
        )
        show(f"{alone}, then beside two stalled readers {beside}")
        async with asyncio.timeout(20):
            while server.output.count("cut off") < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # it is another process's output
        seen = stream.seqs(), websocket.seqs()
    for watcher, seqs in zip(comers(server, beside.run_id), seen, strict=True):
        assert seqs == list(range(1, len(seqs) + 1))
        watcher.cursor = len(seqs)
        await asyncio.wait_for(watcher.watch(), 60)
        count, _ = ledger.digest(beside.run_id)
        assert seqs + watcher.seqs == list(range(1, count + 1))
    assert beside.peak - alone.peak <= 2 * GROWTH + NOISE_BYTES
    if seconds == LONG:  # else a moment of the machine is the whole of it
        assert beside.p99 <= 2 * alone.p99 + NOISE_SECONDS


@pytest.mark.parametrize("server", ["daphne", "runserver", "uvicorn"])
async def test_who_begins_to_read_late_has_all(
    serve: Serve, ledger: Ledger, server: Server
) -> None:
    live = serve(server=server).start()
    run_id = enqueue(live, "emit_large", 400, 50_000)
    with Stalled(live, False) as stream, Stalled(live, True) as websocket:
        for reader in (stream, websocket):
            reader.ask(run_id)
        for watcher in comers(live, run_id):  # who do not wait for the two
            await watcher.watch()
        assert stream.seqs() == websocket.seqs() == list(range(1, 404))


def comers(server: LiveServer, run_id: str) -> list[Watcher]:
    """Who continue in the place of the stalled."""
    return [StreamWatcher(server.port, run_id), SocketWatcher(server.port, run_id)]


class Stalled:
    """Asks for a run, reads its first two events, and then nothing for a long time."""

    def __init__(self, server: LiveServer, websocket: bool) -> None:
        self._websocket = websocket
        self._socket = plain(server).open()
        self._data = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, run_id: str) -> None:
        path = f"/ws/tasks/{run_id}/" if self._websocket else f"/tasks/{run_id}/events/"
        self._socket.sendall(request(path, websocket=self._websocket))
        self._data = read_until(self._socket, b'"seq":2,')

    def seqs(self) -> list[int]:
        """What it can read after all; its connection must have come to an end."""
        got = bytearray(self._data)
        with suppress(ConnectionResetError):
            # There the server waits: for the client's close frame, or its next request.
            end = _FINISHED if self._websocket else b"\r\n0\r\n\r\n"
            while end not in got[-16:] and (piece := self._socket.recv(262_144)):
                got += piece
        if self._websocket:
            texts = [frame.payload.decode() for frame in frames(bytes(got)) if frame.opcode == 1]
            return [seq for text in texts for seq in parse_message(text).seqs]
        return list(parse_blocks(b"".join(chunk for chunk, _ in chunks(bytes(got)))).batch.seqs)


def flood(server: LiveServer, mark: Path, seconds: int, stalled: Sequence[Stalled] = ()) -> Flood:
    """A run that emits for so long, once all who watch it do."""
    count = round(seconds * RATE)
    run_id = enqueue(server, "flood", str(mark), count, SIZE, RATE)
    for reader in stalled:
        reader.ask(run_id)
    with ExitStack() as stack:
        crowds = [
            stack.enter_context(
                Watchers(Spec(server.port, path, websocket, READERS, count + 3, latencies=True))
            )
            for path, websocket in (
                (f"/tasks/{run_id}/events/", False),
                (f"/ws/tasks/{run_id}/", True),
            )
        ]
        with peak(server) as sizes:
            leave(str(mark), "go")
            p99 = max(crowd.report().p99 for crowd in crowds)
    return Flood(run_id, p99, max(sizes))


@contextmanager
def peak(server: LiveServer) -> Iterator[list[int]]:
    sizes = [server.usage().rss]
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            sizes.append(server.usage().rss)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield sizes
    finally:
        over.set()
        looking.join()
