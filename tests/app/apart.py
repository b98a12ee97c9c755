"""Tasks that have a process of their own."""

import asyncio
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tasks import Context, SyncContext, task

__all__: list[str] = []


@task(runner="process")
def pid() -> list[int]:
    return [os.getpid(), os.getppid()]


@task(runner="process")
async def add(a: int, b: int) -> int:
    await asyncio.sleep(0)  # it is a coroutine that really waits
    return a + b


@task(runner="process")
def echo(value: Any) -> Any:
    return value


@task(runner="process")
def unstorable(kind: str) -> Any:
    return {"datetime": datetime.now(UTC), "bytes": b"", "nan": math.nan}[kind]


@task(runner="process", takes_context=True)
def tell(context: SyncContext, count: int) -> None:
    for number in range(count):
        context.emit("told", number)
    context.progress(count, count)
    context.append("text")
    context.log("logged", "warning")


@task(runner="process", takes_context=True)
async def tell_and_flush(context: Context) -> int:
    await context.emit("told", 1)
    await context.flush()
    return context.watchers


@task(runner="process")
def values() -> Iterator[int]:
    yield 1
    yield 2


@task(runner="process")
async def async_values() -> AsyncIterator[int]:
    yield 1
    yield 2


@task(runner="process")
def write(lines: int) -> None:
    for number in range(lines):
        print(f"line {number}")  # noqa: T201 - what it writes is what is tested
    print("error", file=sys.stderr)  # noqa: T201 - as above
    os.write(1, b"no end")


@task(runner="process")
def fail() -> None:
    raise ValueError("what is wrong")


@task(runner="process")
def exit_with(code: int) -> None:
    os._exit(code)


@task(runner="process")
def die(number: int) -> None:
    os.kill(os.getpid(), number)


@task(runner="process")
def allocate(megabytes: int) -> int:
    return len(bytearray(megabytes * 2**20))


@task(memory_mb=64)
def allocate_too_much() -> int:
    return len(bytearray(128 * 2**20))


@task(runner="process")
def burn() -> None:
    while True:
        pass


@task(runner="process")
def open_files(count: int) -> int:
    return len([os.open(os.devnull, os.O_RDONLY) for _ in range(count)])


@task(runner="process")
def surroundings() -> list[str | None]:
    return [os.getcwd(), os.environ.get("NAMED")]


@task(runner="process", takes_context=True)
def until_asked(context: SyncContext) -> str:
    context.emit("going")
    while not context.cancel_requested:
        time.sleep(0.01)  # between two looks
    context.emit("asked")
    return "asked"


@task(runner="process", takes_context=True)
async def until_cancelled(context: Context) -> None:
    await context.emit("going")
    try:
        await asyncio.Event().wait()
    finally:
        await context.emit("asked")


@task(runner="process", takes_context=True)
def family(context: SyncContext, folder: str) -> None:
    """Ignores SIGTERM, and has descendants in its group, in a session, and without a parent."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pids = [os.getpid()]
    sleep = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]  # until they are ended
    pids.append(subprocess.Popen(sleep).pid)
    pids.append(subprocess.Popen(sleep, start_new_session=True).pid)
    file = Path(folder) / f"daemon-{os.getpid()}"
    shell = f"setsid sleep 600 & echo $! > {file}"
    subprocess.run(["sh", "-c", shell], check=True)
    pids.append(int(file.read_text()))
    context.emit("family", pids)
    while True:
        time.sleep(600)  # until it is killed


@task(runner="process")
def leave_behind() -> int:
    return subprocess.Popen(["sleep", "600"], start_new_session=True).pid


@task(runner="process", timeout=0.2)
def too_slow() -> None:
    time.sleep(600)  # until its time is over


@task(runner="process")
def enqueue_another() -> str:
    return add.enqueue(2, 3).id
