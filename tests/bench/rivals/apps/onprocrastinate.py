"""procrastinate on PostgreSQL."""

import asyncio
import functools
import os
import time

import procrastinate

from tests.bench.rivals.marks import mark

app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(conninfo=os.environ["DATABASE_URL"])
)


@app.task
async def nothing(sent):
    mark(sent, time.time())


@app.task
async def rest(sent):
    begun = time.time()
    await asyncio.sleep(0.01)  # it is the work
    mark(sent, begun)


TASKS = {"nothing": nothing, "rest": rest}


@functools.cache
def _open():
    app.open()


def send(kind):
    _open()
    TASKS[kind].defer(sent=time.time())


def send_many(kind, count):
    _open()
    for start in range(0, count, 1000):
        size = min(1000, count - start)
        TASKS[kind].batch_defer(*[{"sent": time.time()}] * size)
