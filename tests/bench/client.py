"""The watchers of a benchmark, in a process of their own and cheap enough not to be the limit.

No JSON and no HTTP library: events are found by scanning the bytes, and every watcher's
numbers are compared with 1, 2, 3 …. Prints ``ready`` when all have got the run's first
two events, and when all streams have ended a report as JSON.
"""

import asyncio
import dataclasses
import json
import sys
import time
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime

from tests.bench.connection import Connection
from tests.bench.spec import Report, Spec

__all__ = ["Crowd"]

_READY = 2  # events, queued and started: who has them is connected and up to date
_CONNECTING = 20  # handshakes at once; more would overflow a server's listen queue


class Crowd:
    """All connections together."""

    def __init__(self, spec: Spec) -> None:
        self.wrong: list[str] = []
        self._spec = spec
        self._received = 0
        self._ready = 0
        self._resumed = 0
        self._open = spec.clients
        self._over = asyncio.Event()
        self._ended = 0.0
        self._cpu = 0.0
        self._latencies: list[float] = []

    async def watch(self) -> Report:
        began = time.time()
        gate = asyncio.Semaphore(_CONNECTING)
        async with asyncio.TaskGroup() as self._group:
            for _ in range(self._spec.clients):
                self._group.create_task(self._connect(Connection(self._spec, self), gate))
            await self._end()
        return self._report(began)

    def took(self, before: int, stamps: list[bytes]) -> None:
        self._ended = now = time.time()
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
            self._group.create_task(self._connect(connection, nullcontext()))
        return self._spec.resume

    def left(self) -> None:
        self._open -= 1
        if not self._open:
            self._over.set()

    async def _connect(
        self, connection: Connection, gate: AbstractAsyncContextManager[None]
    ) -> None:
        loop = asyncio.get_running_loop()
        async with gate:
            await loop.create_connection(lambda: connection, "127.0.0.1", self._spec.port)

    async def _end(self) -> None:
        seen = -1
        while not self._over.is_set() and seen != self._received:
            seen = self._received
            try:
                await asyncio.wait_for(self._over.wait(), self._spec.patience)
            except TimeoutError:
                continue

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


async def _main(spec: Spec) -> None:
    report = await Crowd(spec).watch()
    print(json.dumps(dataclasses.asdict(report)), flush=True)


if __name__ == "__main__":
    asyncio.run(_main(Spec(**json.loads(sys.argv[1]))))
