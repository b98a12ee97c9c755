"""One leader from its fork to its end, with the files between it and the supervisor."""

import asyncio
import fcntl
import os
import signal
import socket
import struct
import termios
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import anyio

from tasks.conf import conf
from tasks.engine.attempts.attempt import Attempt
from tasks.exceptions import RunCancelled
from tasks.runners.apart.client import Ended, ForkServer, Leader
from tasks.runners.apart.wire import Frame, Kind, frame, receive

__all__ = ["Escort", "escorted", "together"]

_LAST_WORDS = 0.3  # seconds to clean up for what must end: of those that a drain allows
_TERMINATING = 0.5  # seconds from SIGTERM to SIGKILL for what has ignored a stop
_LOOK = 0.05  # seconds between two looks whether all is read that an ended process wrote
_GONE = 5.0  # seconds in which the system ends a process


class Escort:
    """The supervisor's end of a leader's files."""

    def __init__(self, leader: Leader, reader: asyncio.StreamReader, files: "_Files") -> None:
        self.leader = leader
        self._reader = reader
        self._files = files

    @property
    def outputs(self) -> dict[str, asyncio.StreamReader]:
        """What it writes to stdout and stderr, unless that goes where the supervisor's goes."""
        return self._files.outputs

    async def send(self, kind: Kind, data: bytes = b"") -> None:
        """Send a frame; one that no longer reaches the leader is dropped."""
        self.send_soon(kind, data)
        with suppress(ConnectionError):
            await self._files.channel.drain()

    def send_soon(self, kind: Kind, data: bytes = b"") -> None:
        self._files.channel.write(frame(kind, data))

    async def receive(self) -> Frame | None:
        return await receive(self._reader)

    async def write(self, data: bytes) -> None:
        """Write to its stdin; what it does not read any more is dropped."""
        if self._files.stdin is not None:
            with suppress(ConnectionError):
                self._files.stdin.write(data)
                await self._files.stdin.drain()

    def close_stdin(self) -> None:
        if self._files.stdin is not None:
            self._files.stdin.close()

    async def ended(self) -> Ended:
        return await asyncio.shield(self.leader.ended)

    async def hang_up(self) -> None:
        """Once it has ended and all that it wrote is here, end what is read of it: a process
        that nobody could end may have its files open.
        """
        await self.ended()
        while self._files.still_open():  # noqa: ASYNC110 - an empty pipe is no event
            await asyncio.sleep(_LOOK)  # until the journal has taken some of it


@asynccontextmanager
async def escorted(
    server: ForkServer,
    attempt: Attempt,
    ask: Callable[[Escort], None],
    *,
    capture: bool,
    stdin: bool = False,
) -> AsyncIterator[Escort]:
    """A new leader for the time of the block; however that ends, nothing of it is left.

    *ask* asks it to end, once a stop is requested, and when the block is cancelled. With
    *capture*, its stdout and stderr are to be read; with *stdin*, its stdin is to be written.

    Raises :class:`RunCancelled` after the block if the attempt was asked to end meanwhile: a
    stop has gone to the leader, and to nobody else.
    """
    files = _Files()
    try:
        far = files.far(capture=capture, stdin=stdin)
        reader = await files.open()
        leader = await server.fork(far)
        files.close_far()
        escort = Escort(leader, reader, files)
        attempt.ask = partial(_stop, escort, ask)
        try:
            yield escort
        finally:
            await _end(escort, attempt, ask)
            attempt.ask = None
    finally:
        files.close()
    if attempt.ending:
        raise RunCancelled


def _stop(escort: Escort, ask: Callable[[Escort], None]) -> None:
    """Ask; SIGTERM to what goes on for the grace period; SIGKILL to what ignores that."""
    ask(escort)
    loop, grace = asyncio.get_running_loop(), conf().grace
    loop.call_later(grace, escort.leader.signal, signal.SIGTERM)
    loop.call_later(grace + _TERMINATING, escort.leader.signal, signal.SIGKILL)


async def _end(escort: Escort, attempt: Attempt, ask: Callable[[Escort], None]) -> None:
    leader = escort.leader
    with anyio.CancelScope(shield=True):
        if not leader.ended.done() and not attempt.killed:
            ask(escort)
            with anyio.move_on_after(_LAST_WORDS):
                await asyncio.shield(leader.ended)
        leader.signal(signal.SIGKILL)
        with anyio.move_on_after(_GONE):
            await asyncio.shield(leader.ended)


async def together(*work: Coroutine[Any, Any, None]) -> None:
    """Do all of *work*; the first error ends the others and is raised."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


class _Files:
    """Both ends of a leader's channel, stdin, stdout and stderr."""

    def __init__(self) -> None:
        self.outputs: dict[str, asyncio.StreamReader] = {}
        self.stdin: asyncio.StreamWriter | None = None
        self._near, channel = socket.socketpair()
        self._far = [channel.detach()]
        self._pipes: dict[str, int] = {}
        self._transports: list[asyncio.BaseTransport] = []
        self._reading: dict[asyncio.BaseTransport, asyncio.StreamReader] = {}
        self.channel: asyncio.StreamWriter

    def far(self, *, capture: bool, stdin: bool) -> list[int]:
        """What the leader gets."""
        if stdin:
            read, self._pipes["stdin"] = os.pipe()
        else:
            read = os.open(os.devnull, os.O_RDONLY)
        self._far.append(read)
        for number, name in ((1, "stdout"), (2, "stderr")):
            if capture:
                self._pipes[name], write = os.pipe()
            else:
                write = os.dup(number)
            self._far.append(write)
        return self._far

    def close_far(self) -> None:
        while self._far:
            os.close(self._far.pop())

    def still_open(self) -> bool:
        """End what is read of the leader where nothing waits any more; whether there is more."""
        for transport, reader in list(self._reading.items()):
            file = transport.get_extra_info("pipe") or transport.get_extra_info("socket")
            if transport.is_closing() or not _unread(file):
                transport.close()
                reader.feed_eof()
                del self._reading[transport]
        return bool(self._reading)

    async def open(self) -> asyncio.StreamReader:
        """Read and write the near ends; the reader of the channel."""
        reader, self.channel = await asyncio.open_unix_connection(sock=self._near)
        self._transports.append(self.channel.transport)
        self._reading[self.channel.transport] = reader
        loop = asyncio.get_running_loop()
        for name in list(self._pipes):
            pipe = os.fdopen(self._pipes.pop(name), "wb" if name == "stdin" else "rb", 0)
            if name == "stdin":
                transport, protocol = await loop.connect_write_pipe(
                    asyncio.streams.FlowControlMixin, pipe
                )
                self.stdin = asyncio.StreamWriter(transport, protocol, None, loop)
                self._transports.append(transport)
            else:
                output = self.outputs[name] = asyncio.StreamReader()
                reading, _ = await loop.connect_read_pipe(
                    partial(asyncio.StreamReaderProtocol, output), pipe
                )
                self._reading[reading] = output
                self._transports.append(reading)
        return reader

    def close(self) -> None:
        self.close_far()
        while self._pipes:
            os.close(self._pipes.popitem()[1])
        for transport in self._transports:
            transport.close()
        self._near.close()


def _unread(file: Any) -> int:
    """Bytes that wait in a pipe or socket."""
    answer = fcntl.ioctl(file.fileno(), termios.FIONREAD, struct.pack("i", 0))
    count: int = struct.unpack("i", answer)[0]
    return count
