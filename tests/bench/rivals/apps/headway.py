"""Headway on PostgreSQL and Redis; the worker is ``manage.py headway_worker``."""

import time

import django

django.setup()

from tests.bench.rivals.apps.onheadway import tasks  # noqa: E402 - it needs the settings


def send(kind):
    getattr(tasks, kind).enqueue(time.time())


def send_many(kind, count):
    task = getattr(tasks, kind)
    for start in range(0, count, 1000):
        task.enqueue_many([((time.time(),), {})] * min(1000, count - start))
