"""django-tasks-db on PostgreSQL."""

import time

import django

django.setup()

from tests.bench.rivals.apps.djangodb import tasks  # noqa: E402 - it needs the settings


def send(kind):
    getattr(tasks, kind).enqueue(time.time())


def send_many(kind, count):
    for _ in range(count):
        send(kind)
