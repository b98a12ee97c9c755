"""Events over HTTP, through Django's whole middleware and the real hub."""

import asyncio
import threading
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient

from consumers.feeds.hub import Hub
from tasks.models import TaskRun

from ..conftest import Login
from ..connections import HttpStream, events_path, parsed
from ..fakes import seqs
from ..loops import settle
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
    before = asyncio.all_tasks()
    streams = [await HttpStream(events_path(run.pk)).open() for _ in range(5)]
    assert hub.watched == 1
    for stream in streams:
        await stream.disconnect()
    assert hub.watched == 0
    await settle()
    assert asyncio.all_tasks() == before


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


async def test_a_page_as_json(hub: Hub) -> None:
    run = await stored(events=700, finish=True)
    url: str | None = events_path(run.pk)
    found: list[int] = []
    pages = 0
    while url is not None:
        path, _, query = url.partition("?")
        stream = HttpStream(path, query, headers=[(b"accept", b"application/json")])
        await stream.open()
        assert stream.headers["content-type"] == "application/json"
        page = stream.json
        assert page["last_seq"] == 700
        found += [event["seq"] for event in page["events"]]
        url = page["next"]
        pages += 1
    assert found == seqs(1, 700)
    assert pages == 2


async def test_an_empty_page(hub: Hub) -> None:
    run = await stored(events=3, finish=True)
    headers = [(b"accept", b"application/json")]
    stream = await HttpStream(events_path(run.pk), "after=3", headers).open()
    assert stream.json == {"events": [], "last_seq": 3, "next": None}


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "text/event-stream; charset=utf-8"),
        (b"*/*", "text/event-stream; charset=utf-8"),
        (b"text/event-stream", "text/event-stream; charset=utf-8"),
        (b"text/html,application/xhtml+xml,*/*;q=0.8", "text/event-stream; charset=utf-8"),
        (b"text/html", "text/event-stream; charset=utf-8"),
        (b"application/json, text/event-stream;q=0.1", "application/json"),
        (b";;;,,/", "text/event-stream; charset=utf-8"),
    ],
)
async def test_what_is_accepted(hub: Hub, accept: bytes | None, content_type: str) -> None:
    run = await stored(events=1, finish=True)
    headers = [] if accept is None else [(b"accept", accept)]
    stream = await HttpStream(events_path(run.pk), headers=headers).open()
    assert stream.headers["content-type"] == content_type
    if not stream.content:
        await stream.body()


BAD_CURSORS = ["abc", "-1", "1.5", "", "99999999999999999999", "2", "%00", "%FF", "1%0A2"]


@pytest.mark.parametrize("cursor", BAD_CURSORS)
async def test_a_bad_after(hub: Hub, cursor: str) -> None:
    run = await stored(events=1)
    stream = await HttpStream(events_path(run.pk), f"after={cursor}").open()
    assert stream.status == 400
    assert stream.json["error"]["code"] == "bad_cursor"
    assert hub.watched == 0


@pytest.mark.parametrize(
    "cursor", [b"abc", b"-1", b"1.5", b"", b"9" * 4000, b"2", b"\xff", b"\x00"]
)
@pytest.mark.parametrize("accept", [b"text/event-stream", b"application/json"])
async def test_a_bad_last_event_id(hub: Hub, cursor: bytes, accept: bytes) -> None:
    run = await stored(events=1)
    headers = [(b"last-event-id", cursor), (b"accept", accept)]
    stream = await HttpStream(events_path(run.pk), headers=headers).open()
    assert stream.status == 400
    assert stream.json["error"]["code"] == "bad_cursor"


async def test_a_cursor_beyond_the_head_says_where_that_is(hub: Hub) -> None:
    run = await stored(events=7)
    stream = await HttpStream(events_path(run.pk), headers=[(b"last-event-id", b"8")]).open()
    assert stream.status == 400
    assert "ends at 7" in stream.json["error"]["message"]


async def test_no_such_run(hub: Hub) -> None:
    stream = await HttpStream(events_path(uuid4())).open()
    assert stream.status == 404
    assert stream.json["error"]["code"] == "no_such_run"


@pytest.mark.parametrize("run_id", ["x", "0", "0197a3c4", "%00", "a" * 3000, "\N{SNOWMAN}"])
async def test_no_run_id(hub: Hub, run_id: str) -> None:
    stream = await HttpStream(f"/tasks/{run_id}/events/").open()
    assert stream.status == 400
    assert stream.json["error"]["code"] == "malformed_id"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
async def test_only_get(hub: Hub, method: str) -> None:
    run = await stored(events=1)
    stream = await HttpStream(events_path(run.pk), method=method).open()
    assert stream.status == 405
    assert stream.headers["allow"] == "GET"
    assert hub.watched == 0


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
