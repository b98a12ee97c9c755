"""The supervisor's end of the fork server: start it, have it fork, and hear what became of it."""

import asyncio
import contextvars
import itertools
import logging
import signal
import socket
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import anyio

from tasks.codec import decode, encode
from tasks.exceptions import ProcessDied
from tasks.runners.apart import kernel
from tasks.runners.apart.spawn import setup, spawn
from tasks.runners.apart.wire import Frame, Kind, frame, receive

__all__ = ["Ended", "ForkServer", "Leader"]

logger = logging.getLogger("headway.forkserver")

_START = 60.0  # seconds to import a project
_AT_ONCE = 8  # forks that are asked for and not answered: files on their way are counted too


class Ended(NamedTuple):
    """How a leader ended: the system's status, processor seconds, and highest memory in KiB."""

    status: int
    cpu: float = 0.0
    rss: int = 0


class Leader:
    """A forked process, as long as the fork server knows it."""

    def __init__(self, server: "_Connection", name: int) -> None:
        self._server = server
        self._name = name
        self.forked: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()

    def signal(self, number: int) -> None:
        """Signal its process group, if it has not ended."""
        if not self.ended.done():
            self._server.tell(Kind.SIGNAL, {"id": self._name, "signal": int(number)})


class ForkServer:
    """Forks leaders by way of a helper process, which starts when it is first needed."""

    def __init__(self) -> None:
        self._starting = asyncio.Lock()
        self._forking = asyncio.Semaphore(_AT_ONCE)
        self._connection: _Connection | None = None
        self._closed = False

    async def fork(self, files: Sequence[int]) -> Leader:
        """A leader with *files* as its channel, stdin, stdout and stderr.

        :class:`ProcessDied` if there can be none.
        """
        connection = await self.ready()
        async with self._forking:
            leader = connection.ask(files)
            try:
                await asyncio.shield(leader.forked)
            except asyncio.CancelledError:
                leader.signal(signal.SIGKILL)
                raise
        return leader

    async def ready(self) -> "_Connection":
        """The connection to a fork server that has imported all, started if need be."""
        async with self._starting:
            if self._closed:
                raise ProcessDied("This process is shutting down and starts no other.")
            if self._connection is None or self._connection.lost:
                self._connection = _Connection()
                try:
                    with anyio.fail_after(_START):
                        await self._connection.start()
                except BaseException:
                    self._connection.close()
                    self._connection = None
                    raise
            return self._connection

    def close(self) -> None:
        """End the fork server, and with it all that it has forked."""
        self._closed = True
        if self._connection is not None:
            self._connection.close()


class _Connection:
    """One fork server, from its start to its end."""

    def __init__(self) -> None:
        self.lost = False
        self._leaders: dict[int, Leader] = {}
        self._names = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._control, self._far = socket.socketpair()
        self._listening: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def start(self) -> None:
        given = setup()
        self._process = await asyncio.to_thread(spawn, self._far)
        self._far.close()
        threading.Thread(target=self._process.wait, name="headway-reaper", daemon=True).start()
        self._control.setblocking(False)
        reader, self._writer = await asyncio.open_unix_connection(sock=self._control.dup())
        self._writer.write(frame(Kind.SETUP, given))
        # Of no run's context, though it may be one that needs the server first.
        self._listening = asyncio.get_running_loop().create_task(
            self._listen(reader), name="headway fork server", context=contextvars.Context()
        )
        await asyncio.shield(self._ready)

    def ask(self, files: Sequence[int]) -> Leader:
        name = next(self._names)
        leader = self._leaders[name] = Leader(self, name)
        message = frame(Kind.FORK, encode({"id": name}).encode())
        try:
            socket.send_fds(self._control, [message], files)
        except OSError:  # it has gone, or takes nothing any more
            self._lose()
        return leader

    def tell(self, kind: Kind, data: dict[str, Any]) -> None:
        if self._writer is not None and not self.lost:
            self._writer.write(frame(kind, encode(data).encode()))

    def close(self) -> None:
        """End it: it sees that its supervisor is gone."""
        self._lose()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while (got := await receive(reader)) is not None:
                self._hear(got)
        finally:
            if not self.lost:
                logger.error("The fork server has ended; the next run that needs it starts another")
            self._lose()

    def _hear(self, got: Frame) -> None:
        if got.kind is Kind.READY:
            if not self._ready.done():
                self._ready.set_result(None)
            return
        told = decode(got.data)
        leader = self._leaders[told["id"]]
        match got.kind:
            case Kind.FORKED:
                leader.forked.set_result(told["pid"])
            case Kind.REFUSED:
                del self._leaders[told["id"]]
                leader.forked.set_exception(ProcessDied(f"No process can be made: {told['why']}."))
                leader.ended.set_result(Ended(0))
            case Kind.ENDED:
                del self._leaders[told["id"]]
                leader.ended.set_result(Ended(told["status"], told["cpu"], told["rss"]))

    def _lose(self) -> None:
        """Everyone who waits for this server hears that it is gone."""
        self.lost = True
        if not self._ready.done():
            why = "The fork server could not start: what it has written to stderr says why."
            self._ready.set_exception(ProcessDied(why))
            self._ready.exception()  # nobody may be waiting
        for leader in self._leaders.values():
            if not leader.forked.done():
                leader.forked.set_exception(ProcessDied("The fork server was ended."))
                leader.forked.exception()  # nobody may be waiting
            elif not leader.ended.done():
                # It dies with the server that forked it; what it has forked does not.
                kernel.kill_group(leader.forked.result())
            if not leader.ended.done():
                leader.ended.set_result(Ended(signal.SIGKILL))
        self._leaders.clear()
        if self._writer is not None:
            self._writer.close()
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        self._control.close()
        self._far.close()
