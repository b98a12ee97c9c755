"""What was so when a run was enqueued is so where it is executed, and nowhere else."""

import json
import logging
import threading
from datetime import timedelta, timezone
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone as zones
from django.utils import translation

from tasks import SyncContext, task
from tasks.handles import Handle
from tasks.logs import RunFields
from tasks.models import TaskRun
from tasks.pipelines import Pipeline, Stage, submit_pipeline
from tasks.surroundings import circumstances
from tasks.testing import running_supervisor
from tests.tasks.lookers import (
    APART,
    GERMAN,
    PLAIN,
    RETURNING,
    YIELDING,
    Seen,
    enqueue_in_german,
    look,
    look_in_command,
    look_in_thread,
    seen,
)

pytestmark = pytest.mark.django_db(transaction=True)


@task
async def enqueue_another() -> str:
    return (await look.aenqueue()).id


_all_here: threading.Barrier


@task(takes_context=True)
def meet(context: SyncContext) -> Seen:
    _all_here.wait(20)
    found = seen(context)
    _all_here.wait(20)
    return found


@pytest.fixture(autouse=True)
def zone(settings: Any) -> None:
    settings.TIME_ZONE = "UTC"
    settings.USE_I18N = True


@pytest.mark.parametrize("look", RETURNING, ids=lambda task: task.name)
async def test_in_every_kind_of_task(look: Any, django_user_model: Any) -> None:
    user = await django_user_model.objects.acreate(username="ann")
    async with running_supervisor():
        handle = await sync_to_async(enqueue_in_german)(look, user=user)
        assert await handle.await_result(20) == {**GERMAN, "user_id": user.pk}
        plain = await look.aenqueue()
        assert await plain.await_result(20) == {**PLAIN, "user_id": None}


async def test_in_processes_of_their_own(django_user_model: Any) -> None:
    user = await django_user_model.objects.acreate(username="ann")
    async with running_supervisor():
        for look_there in APART:
            handle = await sync_to_async(enqueue_in_german)(look_there, user=user)
            found = await handle.await_result(40)
            if look_there is look_in_command:
                found = json.loads(found["stdout"])
            assert found == {**GERMAN, "user_id": user.pk}, look_there.name


@pytest.mark.parametrize("look", YIELDING, ids=lambda task: task.name)
async def test_in_generators(look: Any) -> None:
    async with running_supervisor():
        handle = await sync_to_async(enqueue_in_german)(look)
        await handle.await_result(20)
    run = await TaskRun.objects.aget(pk=handle.id)
    event = await run.events.aget(type="output")
    assert '"word":"Montag"' in event.data
    assert '"time_zone":"Asia/Tokyo"' in event.data


async def test_at_the_same_time_each_its_own() -> None:
    global _all_here
    languages = {"de": "Montag", "fr": "lundi", "es": "lunes", "en-us": "Monday"}
    _all_here = threading.Barrier(len(languages))

    def enqueue(look: Any) -> dict[str, Handle]:
        handles = {}
        for language in languages:
            with translation.override(language):
                handles[language] = look.enqueue()
        return handles

    async with running_supervisor():
        for look_there in (meet, look):
            handles = await sync_to_async(enqueue)(look_there)
            for language, word in languages.items():
                found = await handles[language].await_result(20)
                assert (found["language"], found["word"]) == (language, word)
    assert translation.get_language() == "en-us"
    assert circumstances.carried() == {}


async def test_what_a_run_enqueues_has_the_same() -> None:
    async with running_supervisor():
        first = await sync_to_async(enqueue_in_german)(enqueue_another)
        second = await TaskRun.objects.aget(pk=await first.await_result(20))
        handle = await sync_to_async(Handle.of_run)(second)
        assert await handle.await_result(20) == {**GERMAN, "user_id": None}


async def test_the_stages_of_a_pipeline_have_the_same() -> None:
    def submit() -> Handle:
        with translation.override("de"):
            return submit_pipeline(Pipeline("line", [Stage(name="only", target=look_in_thread)]))

    async with running_supervisor():
        handle = await sync_to_async(submit)()
        assert (await handle.await_result(20))["word"] == "Montag"


async def test_what_is_retried_has_the_same() -> None:
    async with running_supervisor():
        first = await sync_to_async(enqueue_in_german)(look)
        await first.await_result(20)
        again = await first.aretry()
        assert await again.await_result(20) == {**GERMAN, "user_id": None}


def test_a_retry_belongs_to_the_same_user(django_user_model: Any) -> None:
    user = django_user_model.objects.create_user("ann")
    handle = enqueue_in_german(look, user=user)
    handle.stop()
    again = handle.retry()
    run = TaskRun.objects.get(pk=again.id)
    assert (run.user, run.context["user_id"]) == (user, str(user.pk))


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        (timezone.utc, "UTC"),  # noqa: UP017 - the other spelling is the same object
        (timezone(timedelta(hours=-3, minutes=-30)), "-0330"),
        (timezone(timedelta(hours=2)), "+0200"),
    ],
)
async def test_a_zone_without_a_name(settings: Any, zone: Any, name: str) -> None:
    settings.TIME_ZONE = "Europe/Berlin"

    def enqueue() -> Handle:
        with zones.override(zone):
            return look.enqueue()

    async with running_supervisor():
        handle = await sync_to_async(enqueue)()
        assert (await handle.await_result(20))["time_zone"] == name


async def test_what_is_unknown_here_keeps_no_run(caplog: pytest.LogCaptureFixture) -> None:
    handle = await look.aenqueue()
    given = {"language": "xx-none", "time_zone": "Mars/Olympus"}
    await TaskRun.objects.filter(pk=handle.id).aupdate(context=given)
    async with running_supervisor():
        found = await handle.await_result(20)
    assert found["time_zone"] == "UTC"
    assert "'Mars/Olympus' of the enqueueing cannot be restored here" in caplog.text


async def test_a_run_of_the_previous_release_has_none() -> None:
    handle = await look.aenqueue()

    def insert_like_it() -> None:
        """A row to which nobody gave the column."""
        columns = [str(field.column) for field in TaskRun._meta.concrete_fields]
        names = ", ".join(column for column in columns if column != "context")
        with connection.cursor() as cursor:
            table = "headway_run"
            cursor.execute(f"CREATE TABLE kept AS SELECT {names} FROM {table}")
            cursor.execute(f"DELETE FROM {table}")
            cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM kept")
            cursor.execute("DROP TABLE kept")

    await sync_to_async(insert_like_it)()
    async with running_supervisor():
        assert await handle.await_result(20) == {**PLAIN, "user_id": None}


@task
async def say() -> None:
    logging.getLogger("shop").warning("packed")


async def test_log_lines_have_it(caplog: pytest.LogCaptureFixture, django_user_model: Any) -> None:
    caplog.handler.addFilter(fields := RunFields())
    user = await django_user_model.objects.acreate(username="ann")
    try:
        async with running_supervisor():
            handle = await sync_to_async(enqueue_in_german)(say, user=user)
            await handle.await_result(20)
    finally:
        caplog.handler.removeFilter(fields)
    [line] = [record for record in caplog.records if record.name == "shop"]
    given = line.__dict__
    assert (given["request_id"], given["user_id"]) == ("req-1", str(user.pk))
    assert f"request_id=req-1 user_id={user.pk}" in given["run"]
