"""Runs that nobody takes are noticed."""

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from tasks.engine import store
from tasks.engine.upkeep import unserved
from tasks.engine.upkeep.unserved import Unserved
from tasks.models import TaskRun, Worker
from tests.app import tasks as app
from tests.tasks.engine.claims.test_presence import info
from tests.tasks.runs import until

pytestmark = pytest.mark.django_db(transaction=True)


def enqueue(*names: str, **options: Any) -> None:
    for name in names:
        app.add.using(queue_name=name, **options).enqueue(1)


def test_what_no_living_process_takes() -> None:
    enqueue("mail", "video", "reports")
    enqueue("later", run_after=timezone.now() + timedelta(hours=1))
    assert store.unserved(10) == {"mail", "video", "reports"}
    store.show_up(info("one", queues=["mail", "other"]), draining=False)
    store.show_up(info("two", queues=["video"]), draining=True)
    assert store.unserved(10) == {"video", "reports"}
    store.show_up(info("three"), draining=False)
    assert store.unserved(10) == set()
    Worker.objects.update(seen_at=timezone.now() - timedelta(seconds=11))
    assert store.unserved(10) == {"mail", "video", "reports"}


async def test_it_is_said_once_until_it_is_served(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks = 0
    real = store.unserved

    def look(silence: float) -> set[str]:
        nonlocal looks
        looks += 1
        return real(silence)

    async def looked_again() -> None:
        before = looks

        async def twice() -> bool:
            return looks > before + 2

        await until(twice)

    monkeypatch.setattr(unserved, "_EVERY", 0.001)
    monkeypatch.setattr(store, "unserved", look)
    await sync_to_async(enqueue)("mail")
    serving = asyncio.create_task(Unserved().serve())
    try:
        with caplog.at_level(logging.WARNING, "headway.queues"):
            await looked_again()
            assert caplog.text.count("the queue 'mail'") == 1
            await TaskRun.objects.all().adelete()
            await looked_again()
            await sync_to_async(enqueue)("mail")
            await looked_again()
            assert caplog.text.count("the queue 'mail'") == 2
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
