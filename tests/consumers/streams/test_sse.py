"""Events over HTTP, through Django's whole middleware and the real hub."""

import threading
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient

from consumers.feeds.hub import Hub
from tasks.models import TaskRun

from ..conftest import Login
from ..connections import HttpStream, events_path, parsed
from ..fakes import seqs
from ..loops import lasting, settle
from ..rows import emit, stored

pytestmark = pytest.mark.usefixtures("anyone")


async def test_a_run_from_its_first_event_to_its_last(hub: Hub) -> None:
    run = await stored(events=3)
    stream = await HttpStream(events_path(run.pk)).open()
    assert stream.status == 200
    assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert stream.headers["cache-control"] == "no-cache, no-transform"
    assert stream.headers["x-accel-buffering"] == "no"
    assert "content-length" not in stream.headers
    frames = await stream.until(3)
    await emit(run, 2)
    await emit(run, 1, finish=True)
    frames += parsed(await stream.body())
    assert [frame.id for frame in frames] == seqs(1, 6)
    assert [frame.event for frame in frames] == ["step"] * 5 + ["finished"]
    assert frames[0].data["run"] == str(run.pk)
    assert frames[0].data["data"] == {"a": "b"}
    assert hub.watched == 0


async def test_the_first_bytes_do_not_wait_for_an_event(hub: Hub) -> None:
    run = await stored()
    stream = await HttpStream(events_path(run.pk)).open()
    assert await stream.chunk() == b"retry: 1000\n: heartbeat 15\n\n"
    await stream.disconnect()


async def test_they_tell_how_often_there_is_a_heartbeat(hub: Hub, settings: Any) -> None:
    settings.HEADWAY = {**settings.HEADWAY, "HEARTBEAT": 2.5}
    run = await stored()
    stream = await HttpStream(events_path(run.pk)).open()
    assert (await stream.chunk()).endswith(b"\n: heartbeat 2.5\n\n")
    await stream.disconnect()


@pytest.mark.parametrize(
    ("query", "header", "expected"),
    [
        ("after=2", None, seqs(3, 4)),
        ("", b"3", [4]),
        ("after=1", b"3", [4]),
        ("after=0", None, seqs(1, 4)),
    ],
)
async def test_a_cursor(hub: Hub, query: str, header: bytes | None, expected: list[int]) -> None:
    run = await stored(events=4, finish=True)
    headers = [] if header is None else [(b"last-event-id", header)]
    stream = await HttpStream(events_path(run.pk), query, headers).open()
    assert [frame.id for frame in parsed(await stream.body())] == expected


async def test_read_to_the_end_of_a_finished_run(hub: Hub) -> None:
    run = await stored(events=4, finish=True)
    stream = await HttpStream(events_path(run.pk), headers=[(b"last-event-id", b"4")]).open()
    assert stream.status == 204
    assert stream.content == b""


async def test_read_to_the_head_of_a_run_that_goes_on(hub: Hub) -> None:
    run = await stored(events=4)
    stream = await HttpStream(events_path(run.pk), "after=4").open()
    await emit(run, 1, finish=True)
    assert [frame.id for frame in parsed(await stream.body())] == [5]


async def test_latest_is_the_state_and_then_what_follows(hub: Hub) -> None:
    run = await stored(events=400, progress={"done": 4})
    stream = await HttpStream(events_path(run.pk), "after=latest").open()
    [snapshot] = await stream.until(400)
    assert (snapshot.id, snapshot.event) == (400, "snapshot")
    assert snapshot.data["data"]["progress"] == {"done": 4}
    await emit(run, 2, finish=True)
    assert [frame.id for frame in parsed(await stream.body())] == [401, 402]


async def test_latest_of_a_finished_run_is_its_state_alone(hub: Hub) -> None:
    run = await stored(events=4, finish=True)
    stream = await HttpStream(events_path(run.pk), "after=latest").open()
    [snapshot] = parsed(await stream.body())
    assert snapshot.data["data"]["status"] == "SUCCESSFUL"


async def test_disconnecting_releases_everything(hub: Hub) -> None:
    run = await stored(events=1)
    before = lasting()
    streams = [await HttpStream(events_path(run.pk)).open() for _ in range(5)]
    assert hub.watched == 1
    for stream in streams:
        await stream.disconnect()
    assert hub.watched == 0
    await settle()
    assert lasting() == before


async def test_an_open_stream_holds_no_thread_and_no_connection(hub: Hub, ann: Login) -> None:
    run = await stored(events=1)
    before = threading.active_count()
    streams = [HttpStream(events_path(run.pk), headers=[ann.cookie]) for _ in range(30)]
    for stream in streams:
        await stream.open()
        await stream.until(1)
    # The hub's two may have started just now, and the last request's may just be ending.
    assert threading.active_count() < before + 10
    for stream in streams:
        await stream.disconnect()


async def test_farewell(hub: Hub) -> None:
    run = await stored(events=1)
    stream = await HttpStream(events_path(run.pk)).open()
    await stream.until(1)
    hub.close()
    body = await stream.body()
    assert body.startswith(b"retry: ")
    assert stream.ended


async def test_a_deleted_run_ends_its_stream(hub: Hub) -> None:
    run = await stored(events=1)
    stream = await HttpStream(events_path(run.pk)).open()
    await stream.until(1)
    await sync_to_async(TaskRun.objects.all().delete)()
    assert await stream.body() == b""
    again = await HttpStream(events_path(run.pk)).open()
    assert again.status == 404


async def test_without_the_wrapper_django_streams_the_same(hub: Hub) -> None:
    run = await stored(events=3, finish=True)
    response: Any = await AsyncClient().get(events_path(run.pk))
    body = b"".join([part async for part in response])
    assert [frame.id for frame in parsed(body)] == [1, 2, 3]
    assert hub.watched == 0


async def test_without_the_wrapper_closing_the_response_releases_the_feed(hub: Hub) -> None:
    run = await stored(events=3)
    response = await AsyncClient().get(events_path(run.pk))
    assert hub.watched == 1
    await sync_to_async(response.close)()
    assert hub.watched == 0


async def test_without_a_hub_nothing_is_streamed(transactional_db: None) -> None:
    run = await stored(events=1)
    stream = await HttpStream(events_path(run.pk)).open()
    assert stream.status == 503
    assert stream.headers["retry-after"] == "1"
    assert stream.json["error"]["code"] == "not_serving"


async def test_watching_changes_nothing(hub: Hub) -> None:
    run = await stored(events=3, finish=True)
    # But that it is kept for them.
    columns = {field.attname for field in TaskRun._meta.concrete_fields} - {"watched_until"}
    before = await sync_to_async(lambda: list(TaskRun.objects.values(*columns)))()
    stream = await HttpStream(events_path(run.pk)).open()
    await stream.body()
    assert await sync_to_async(lambda: list(TaskRun.objects.values(*columns)))() == before
    assert await sync_to_async(lambda: connections["default"].in_atomic_block)() is False
