"""Celery on Redis; results are kept there, as each other side keeps them."""

import os
import time

from celery import Celery

from tests.bench.rivals.marks import mark

app = Celery("bench", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])


@app.task
def nothing(sent):
    mark(sent, time.time())


@app.task
def rest(sent):
    begun = time.time()
    time.sleep(0.01)  # it is the work
    mark(sent, begun)


TASKS = {"nothing": nothing, "rest": rest}


def send(kind):
    TASKS[kind].delay(time.time())


def send_many(kind, count):
    with app.producer_pool.acquire(block=True) as producer:
        for _ in range(count):
            TASKS[kind].apply_async((time.time(),), producer=producer)
