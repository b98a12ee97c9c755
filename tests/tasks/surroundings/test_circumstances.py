"""What was so when a run was enqueued is so where it is executed, and nowhere else."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from datetime import timedelta, timezone
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.checks import run_checks
from django.db import connection, transaction
from django.utils import timezone as zones
from django.utils import translation

from tasks import Context, SyncContext, task
from tasks.handles import Handle
from tasks.logs import RunFields
from tasks.models import TaskRun
from tasks.pipelines import Pipeline, Stage, submit_pipeline
from tasks.surroundings import circumstances
from tasks.testing import running_supervisor

pytestmark = pytest.mark.django_db(transaction=True)

#: A project's own.
theirs: ContextVar[str | None] = ContextVar("theirs", default=None)

Seen = dict[str, Any]


def seen(context: Context | SyncContext) -> Seen:
    return {
        "request_id": context.request_id,
        "user_id": context.user_id,
        "language": translation.get_language(),
        "word": translation.gettext("Monday"),
        "time_zone": zones.get_current_timezone_name(),
    }


@task(takes_context=True)
async def look(context: Context) -> Seen:
    await asyncio.sleep(0)  # another task's turn
    return seen(context)


@task(takes_context=True)
def look_in_thread(context: SyncContext) -> Seen:
    return seen(context)


@task(takes_context=True)
async def look_from_thread_of_coroutine(context: Context) -> Seen:
    return await sync_to_async(seen)(context)


@task(takes_context=True)
async def look_in_values(context: Context) -> AsyncIterator[Seen]:
    yield seen(context)


@task(takes_context=True)
def look_in_thread_values(context: SyncContext) -> Iterator[Seen]:
    yield seen(context)


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


@task(takes_context=True, runner="process")
def look_in_process(context: SyncContext) -> Seen:
    return seen(context)


@task(takes_context=True, runner="process")
async def look_in_coroutine_of_process(context: Context) -> Seen:
    return seen(context)


@task(takes_context=True, runner="command")
def look_in_command(context: SyncContext) -> list[str]:
    return ["echo", json.dumps(seen(context))]


APART: list[Any] = [look_in_process, look_in_coroutine_of_process, look_in_command]
RETURNING = [look, look_in_thread, look_from_thread_of_coroutine]
YIELDING = [look_in_values, look_in_thread_values]


async def outcome(handle: Handle) -> Seen:
    found = await handle.await_result(20)
    if found is None:
        [event] = [
            one async for one in TaskRun.objects.get(pk=handle.id).events.filter(type="output")
        ]
        found = event.data
    return dict(found)


def enqueue_in_german(look: Any, **options: Any) -> Handle:
    """As a request would that is served in German to somebody in Tokyo."""
    token = circumstances.request_id.set("req-1")
    try:
        with translation.override("de"), zones.override("Asia/Tokyo"):
            handle: Handle = look.using(**options).enqueue()
            return handle
    finally:
        circumstances.request_id.reset(token)


GERMAN = {"request_id": "req-1", "language": "de", "word": "Montag", "time_zone": "Asia/Tokyo"}
PLAIN = {"request_id": None, "language": "en-us", "word": "Monday", "time_zone": "UTC"}


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


def provide() -> str | None:
    return theirs.get()


def test_a_request_id_is_that_of_the_enqueueing(settings: Any) -> None:
    settings.HEADWAY = {"REQUEST_ID_PROVIDER": f"{__name__}.provide"}
    token = theirs.set("req-abc")
    with transaction.atomic():
        handle = look.enqueue()
        theirs.reset(token)
    assert TaskRun.objects.get(pk=handle.id).context == {"request_id": "req-abc"}


def test_with_a_commit_it_is_that_of_the_call(settings: Any) -> None:
    settings.HEADWAY = {"REQUEST_ID_PROVIDER": f"{__name__}.provide"}
    token = theirs.set("req-abc")
    with transaction.atomic():
        handle = look.enqueue_on_commit()
        theirs.reset(token)
    assert TaskRun.objects.get(pk=handle.id).context == {"request_id": "req-abc"}


def failing() -> str:
    raise LookupError("no request")


@pytest.mark.parametrize(
    ("provider", "kept"),
    [
        (lambda: None, {}),
        (lambda: "", {}),
        (lambda: 17, {"request_id": "17"}),
        (lambda: "a\nb\x1b[31m", {"request_id": "ab[31m"}),
        (lambda: "x" * 1000, {"request_id": "x" * 200}),
        (failing, {}),
    ],
)
def test_whatever_a_provider_says_nothing_is_lost(
    settings: Any, caplog: pytest.LogCaptureFixture, provider: Callable[[], Any], kept: Seen
) -> None:
    settings.HEADWAY = {"REQUEST_ID_PROVIDER": provider}
    handle = look.enqueue()
    assert TaskRun.objects.get(pk=handle.id).context == kept
    assert ("REQUEST_ID_PROVIDER" in caplog.text) == (provider is failing)


@pytest.mark.parametrize(
    ("provider", "problem"),
    [
        ("no.such.module", "cannot be imported"),
        (f"{__name__}.missing", "cannot be imported"),
        (f"{__name__}.GERMAN", "is not callable"),
        (17, "must be a callable"),
    ],
)
def test_a_bad_provider_is_named_at_start(settings: Any, provider: Any, problem: str) -> None:
    settings.HEADWAY = {"REQUEST_ID_PROVIDER": provider}
    [message] = [found for found in run_checks() if "REQUEST_ID_PROVIDER" in found.msg]
    assert problem in message.msg


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
