"""The watchers of a benchmark, in a process of their own and cheap enough not to be the limit.

No event loop, no JSON and no HTTP library. What a socket has is read and stamped at once, and
looked at when nothing comes any more: no arrival waits until another's events are counted, and
the counting takes nothing from the server's core while it is measured. Events are found by
scanning the bytes, and every watcher's numbers are compared with 1, 2, 3 …. Prints ``ready``
when all have got the run's first two events, and when all streams have ended a report as JSON.
"""

import dataclasses
import gc
import json
import selectors
import socket
import sys
import time
from collections import deque
from datetime import datetime

from tests.bench.connection import Connection
from tests.bench.spec import Report, Spec

__all__ = ["Crowd"]

_READY = 2  # events, queued and started: who has them is connected and up to date
_CONNECTING = 20  # connections without an answer; more would overflow a server's listen queue
_PIECE = 1 << 16  # bytes read at once; more is memory that the kernel has to be asked for
_QUIET = 0.03  # seconds; longer than between two events of a paced run
_MOST = 1 << 26  # bytes not looked at; what comes beyond has to wait


class Crowd:
    """All connections together."""

    def __init__(self, spec: Spec) -> None:
        self.wrong: list[str] = []
        self._spec = spec
        self._selector = selectors.DefaultSelector()
        self._waiting = [Connection(spec, self) for _ in range(spec.clients)]
        self._silent: set[Connection] = set()  # connected, and nothing has come yet
        self._unseen: deque[tuple[Connection, float, bytes]] = deque()
        self._size = 0  # bytes of what is unseen
        self._received = 0
        self._ready = 0
        self._resumed = 0
        self._open = spec.clients
        self._ended = 0.0
        self._cpu = 0.0
        self._latencies: list[float] = []

    def watch(self) -> Report:
        began = time.time()
        while self._open:
            self._connect()
            found = self._selector.select(_QUIET if self._unseen else self._spec.patience)
            for key, _ in found:
                assert isinstance(key.fileobj, socket.socket)
                self._read(key.fileobj, key.data)
            if not found and not self._unseen:
                break  # what has not come by now is lost
            while self._unseen and (not found or self._size > _MOST):
                self._look()
        return self._report(began)

    def took(self, before: int, stamps: list[bytes], now: float) -> None:
        self._ended = now
        self._received += len(stamps)
        if self._spec.latencies and self._ready == self._spec.clients:  # before, it is replay
            self._latencies += [now - _moment(at) for at in stamps]
        if before < _READY <= before + len(stamps):
            self._ready += 1
            if self._ready == self._spec.clients:
                self._cpu = time.process_time()
                print("ready", flush=True)

    def resume(self, connection: Connection) -> bool:
        if self._spec.resume:
            self._resumed += 1
            self._waiting.append(connection)
        return self._spec.resume

    def left(self) -> None:
        self._open -= 1

    def _connect(self) -> None:
        while self._waiting and len(self._silent) < _CONNECTING:
            connection = self._waiting.pop()
            sock = socket.create_connection(("127.0.0.1", self._spec.port))
            self._selector.register(sock, selectors.EVENT_READ, connection)
            self._silent.add(connection)
            connection.made(sock)

    def _read(self, sock: socket.socket, connection: Connection) -> None:
        try:
            data = sock.recv(_PIECE)
        except ConnectionError:
            data = b""
        self._unseen.append((connection, time.time(), data))
        self._size += len(data)
        if not data:
            self._selector.unregister(sock)
            sock.close()

    def _look(self) -> None:
        connection, now, data = self._unseen.popleft()
        self._size -= len(data)
        self._silent.discard(connection)
        if data:
            connection.received(data, now)
        else:
            connection.lost()

    def _report(self, began: float) -> Report:
        due = self._spec.clients * self._spec.last
        if self._received != due:
            self.wrong.append(f"{self._received} events where {due} were due")
        if self._open:
            self.wrong.append(f"{self._open} streams have not ended")
        cpu = time.process_time() - self._cpu
        report = Report(self._received, self.wrong, began, self._ended, cpu, self._resumed)
        if not self._latencies:
            return report
        latencies = sorted(self._latencies)
        p50, p99 = (latencies[len(latencies) * share // 100] for share in (50, 99))
        return dataclasses.replace(report, p50=p50, p99=p99)


def _moment(at: bytes) -> float:
    return datetime.fromisoformat(f"{at.decode()}+00:00").timestamp()


if __name__ == "__main__":
    gc.disable()  # it would look through all that is kept for later, again and again
    report = Crowd(Spec(**json.loads(sys.argv[1]))).watch()
    print(json.dumps(dataclasses.asdict(report)), flush=True)
