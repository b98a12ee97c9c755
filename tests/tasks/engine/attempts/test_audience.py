"""How many watch a run, as the processes have said."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tasks.engine import store
from tasks.engine.attempts import audience
from tasks.ids import new_run_id
from tasks.models import Audience
from tasks.testing import running_supervisor
from tests.app import tasks as app

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_sum_of_what_processes_say() -> None:
    one, two, three = new_run_id(), new_run_id(), new_run_id()
    store.note_audience("a", {one: 2, two: 1})
    store.note_audience("b", {one: 3})
    assert store.audience([one, two, three]) == {one: 5, two: 1}
    store.note_audience("a", {one: 1, two: 0})
    assert store.audience([one, two, three]) == {one: 4}
    store.dismiss("b")
    assert store.audience([one]) == {one: 1}


def test_who_is_silent_counts_no_more() -> None:
    one = new_run_id()
    store.note_audience("dead", {one: 2})
    store.note_audience("alive", {one: 1})
    aged(process="dead", by=store.SILENT + 1)
    assert store.audience([one]) == {one: 1}
    aged(process="alive", by=store.SILENT - 10)
    store.renew_audience("alive")
    aged(process="alive", by=20)
    assert store.audience([one]) == {one: 1}
    aged(process="dead", by=3 * store.SILENT)
    store.renew_audience("alive")
    assert set(Audience.objects.values_list("process", flat=True)) == {"alive"}
    assert store.SILENT < 60


def aged(process: str, by: float) -> None:
    then = timezone.now() - timedelta(seconds=by)
    Audience.objects.filter(process=process).update(seen_at=then)


def test_a_statement_for_hundreds() -> None:
    ids = [new_run_id() for _ in range(700)]
    with CaptureQueriesContext(connection) as queries:
        store.note_audience("a", dict.fromkeys(ids, 1))
    assert len(queries) == 3
    assert store.audience(ids) == dict.fromkeys(ids, 1)


async def test_a_handle_tells() -> None:
    handle = await app.add.aenqueue(1)
    assert await handle.awatchers() == 0
    await sync_to_async(store.note_audience)("a", {handle.run_id: 2})
    assert await handle.awatchers() == 2
    assert await sync_to_async(handle.watchers)() == 2


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[list[UUID]]:
    """The questions of the child that looks for running tasks."""
    asked: list[list[UUID]] = []
    real = store.audience

    def ask(run_ids: Any) -> dict[UUID, int]:
        asked.append(list(run_ids))
        return real(run_ids)

    monkeypatch.setattr(audience, "_PAUSE", 0.02)
    monkeypatch.setattr(store, "audience", ask)
    return asked


@pytest.fixture
async def supervised(quick: object) -> AsyncIterator[None]:
    async with running_supervisor():
        yield


async def test_a_task_that_wants_to_know_is_told(supervised: Any, quick: list[list[UUID]]) -> None:
    curious = await app.count_watchers.aenqueue(3)
    other = await app.sleep.aenqueue(60)
    await sync_to_async(store.note_audience)("a", {curious.run_id: 3})
    assert await curious.await_result(20) == [0, 3]
    assert quick
    assert all(asked == [curious.run_id] for asked in quick)
    await other.astop()


async def test_nobody_asks_for_those_who_do_not(supervised: Any, quick: list[list[UUID]]) -> None:
    handle = await app.emit.aenqueue(5, 0.05)
    await handle.await_result(20)
    assert quick == []
