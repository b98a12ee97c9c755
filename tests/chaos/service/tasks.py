"""Tasks that are interrupted, and leave marks by which a test knows what became of them."""

import asyncio
import logging
import os
import threading
import time
from contextlib import suppress

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection

from tasks import Context, SyncContext, task
from tasks.models import TaskRun
from tests.app.apart import allocate_too_much, family  # noqa: F401 - by this name too
from tests.app.commands import awk, shell  # noqa: F401 - as above
from tests.bench.payload import Pace
from tests.chaos.service.marks import Overlap, alone, leave, left


@task(takes_context=True, max_attempts=100)
async def emit(context: Context, count: int, pause: float = 0.0) -> int:
    """*count* events an attempt; an attempt after a death begins anew."""
    for number in range(count):
        await context.emit("tick", {"n": number, "attempt": context.attempt})
        if pause:
            await asyncio.sleep(pause)  # the rate is what the test asks for
    return count


@task(takes_context=True)
async def emit_large(context: Context, count: int, size: int) -> int:
    for number in range(count):
        await context.emit("tick", {"n": number, "filling": "x" * size})
    return count


@task(takes_context=True)
async def flood(context: Context, path: str, count: int, size: int, rate: float) -> int:
    """*rate* large events a second, from the moment when there is a mark at *path*."""
    while not left(path):  # noqa: ASYNC110
        await asyncio.sleep(0.01)  # it is another process's event
    pace = Pace(rate)
    for number in range(count):
        await context.emit("tick", {"n": number, "filling": "x" * size})
        await pace.next()
    return count


@task(takes_context=True)
async def emit_until(context: Context, path: str) -> int:
    """Emits as fast as it can until there is a mark at *path*."""
    number = 0
    while number % 50 or not left(path):
        await context.emit("tick", {"n": number})
        number += 1
    return number


@task
async def mark(path: str) -> None:
    leave(path, "executed")


@task(queue_name="mail")
async def post(path: str) -> None:
    leave(path, "posted")


@task
async def plant(path: str, generations: int) -> None:
    """Enqueues another one like it, so many times."""
    leave(path, "planted")
    if generations:
        await plant.aenqueue(path, generations - 1)


@task
async def count(path: str, number: int) -> None:
    leave(path, str(number))


def begin(path: str) -> bool:
    """Leave a mark; whether it is the first one."""
    first = not left(path)
    leave(path, f"{os.getpid()} begun")
    return first


@task(takes_context=True)
async def rest(context: Context, path: str, seconds: float, again: float = 0.0) -> str:
    """Rests *seconds*, and when begun again *again*; says how that ended."""
    first = begin(path)
    await context.emit("resting")
    how = "cancelled"
    try:
        await asyncio.sleep(seconds if first else again)  # how long is what the test asks for
        how = "ended"
        await context.emit("rested")
    finally:
        leave(path, f"{os.getpid()} {how}")
    return how


@task(takes_context=True)
def rest_in_thread(context: SyncContext, path: str, seconds: float, again: float = 0.0) -> str:
    """:func:`rest`, but it can only be asked to end, and then it tries to emit."""
    deadline = time.monotonic() + (seconds if begin(path) else again)
    context.emit("resting")
    while time.monotonic() < deadline and not context.cancel_requested:
        time.sleep(0.005)  # a thread is told of nothing: it has to look
    how = "cancelled" if context.cancel_requested else "ended"
    try:
        context.emit("rested")
    except Exception as error:
        how += f", {type(error).__name__}"
    leave(path, f"{os.getpid()} {how}")
    return how


@task
async def block_asleep(path: str, seconds: float) -> None:
    """Blocks the event loop, leaving the interpreter to other threads."""
    leave(path, f"{os.getpid()}")
    time.sleep(seconds)  # noqa: ASYNC251 - the mistake that the watchdog is for


@task
async def block_computing(path: str, seconds: float) -> None:
    """Blocks the event loop, taking the interpreter from other threads where it can."""
    leave(path, f"{os.getpid()}")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pass


@task(takes_context=True, max_attempts=100)
async def step(context: Context, folder: str, number: int, steps: int, pause: float) -> int:
    """Takes some steps, with an event each, and notices if it is not alone in that."""
    try:
        with alone(f"{folder}/{number}.lock"):
            for done in range(1, steps + 1):
                await context.progress(done, steps)
                await asyncio.sleep(pause)  # the work
    except Overlap:
        leave(f"{folder}/overlaps", f"{context.run_id} attempt {context.attempt}")
        raise
    return number


@task(takes_context=True, max_attempts=100)
async def walk(context: Context, number: int, steps: int, pause: float) -> int:
    """:func:`step`, for tests in which an attempt may sleep through another."""
    for done in range(1, steps + 1):
        await context.progress(done, steps)
        await asyncio.sleep(pause)  # the work
    return number


@task(takes_context=True)
async def rest_until(context: Context, path: str) -> None:
    """Rests until there is a mark at *path*."""
    await context.emit("resting")
    while not left(path):  # noqa: ASYNC110 - it is another process's event
        await asyncio.sleep(0.01)  # nobody tells of a file


logger = logging.getLogger(__name__)
_meeting = threading.Barrier(3)


def _say(word: str, where: str) -> None:
    logger.info("%s in a %s", word, where, extra={"where": where})


def _query(word: str) -> None:
    """A query of which the log tells, whether or not it can be answered."""
    with suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {word}")


@task
async def talk(word: str, lines: int) -> None:
    """Writes log lines in all ways a coroutine can, while two others do so."""
    await asyncio.to_thread(_meeting.wait, 20)
    for _ in range(lines):
        _say(word, "coroutine")
        await sync_to_async(_say)(word, "sync_to_async")
        await asyncio.to_thread(_say, word, "to_thread")
    await sync_to_async(_query)(word)
    logger.info("%s is silent", word)


@task
def talk_in_thread(word: str, lines: int) -> None:
    _meeting.wait(20)
    for _ in range(lines):
        _say(word, "thread")
    _query(word)
    logger.info("%s is silent", word)


@task
def deaf(path: str) -> None:
    """Hears nothing of a stop; returns when there is a second mark at *path*."""
    leave(path, f"{os.getpid()} begun")
    with open(path) as file:
        while len(file.readlines()) < 2:
            file.seek(0)
            time.sleep(0.02)  # nobody tells of a file


@task(takes_context=True, max_attempts=100)
async def tick_until(context: Context, path: str, pause: float) -> int:
    """Emits at a steady rate until there is a mark at *path*."""
    number = 0
    while not left(path):
        await context.emit("tick", {"n": number})
        number += 1
        await asyncio.sleep(pause)  # the rate is what the test asks for
    return number


@task
async def hold(path: str, seconds: float) -> None:
    """Queries, and with that has a connection until it ends."""
    await TaskRun.objects.aexists()
    leave(path, "held")
    await asyncio.sleep(seconds)  # how long is what the test asks for


@task(takes_context=True)
async def speak(context: Context, path: str, count: int) -> int:
    """*count* words at full speed, and a last one once there is a mark at *path*."""
    for number in range(count):
        await context.append(f"{number} ")
        if not number % 100:
            await asyncio.sleep(0)  # what appends only waits for room
    await context.flush()
    leave(f"{path}.said", "said")
    while not left(path):  # noqa: ASYNC110
        await asyncio.sleep(0.01)  # it is another process's event
    await context.append("end")
    return count
