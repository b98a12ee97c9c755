"""Events of several runs as one event stream, through Django and the wrapper around it."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from consumers.feeds.hub import Hub
from tasks.models import TaskRun

from ..conftest import Login
from ..connections import HttpStream
from ..fakes import seqs
from ..loops import settle
from ..rows import emit, stored

pytestmark = pytest.mark.usefixtures("anyone")


class Event(NamedTuple):
    id: str
    run: UUID
    seq: int
    type: str


def parsed(body: bytes) -> list[Event]:
    """As a browser would see it: an id stays until there is another one."""
    found: list[Event] = []
    blocks = body.decode().split("\n\n")
    assert blocks.pop() == ""
    for block in blocks:
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        if "id" in fields:
            data = json.loads(fields["data"])
            assert fields["event"] == data["type"]
            found.append(Event(fields["id"], UUID(data["run"]), data["seq"], data["type"]))
    return found


def of_each(events: Iterable[Event]) -> dict[UUID, list[int]]:
    found: dict[UUID, list[int]] = {}
    for event in events:
        found.setdefault(event.run, []).append(event.seq)
    return found


def request(runs: Iterable[Any], query: str = "", **options: Any) -> HttpStream:
    names = "&".join(f"run={getattr(run, 'pk', run)}" for run in runs)
    return HttpStream("/tasks/events/", f"{names}&{query}", **options)


def after(last: Event) -> list[tuple[bytes, bytes]]:
    return [(b"last-event-id", last.id.encode())]


async def until(stream: HttpStream, count: int) -> list[Event]:
    body = b""
    while len(found := parsed(body)) < count:
        body += await stream.chunk()
    return found


async def test_runs_from_their_first_event_to_their_last(hub: Hub) -> None:
    one, two, three = await stored(events=3), await stored(), await stored(events=2, finish=True)
    stream = await request([one, two, three]).open()
    assert stream.status == 200
    assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert stream.headers["cache-control"] == "no-cache, no-transform"
    first = await until(stream, 5)
    await emit(two, 4)
    await emit(one, 1, finish=True)
    await emit(two, 1, finish=True)
    found = first + parsed(await stream.body())
    assert of_each(found) == {one.pk: seqs(1, 4), two.pk: seqs(1, 5), three.pk: [1, 2]}
    assert (hub.watched, hub.bundles) == (0, set())
    again = await request([one, two, three], headers=after(found[-1])).open()
    assert (again.status, again.content) == (204, b"")


async def test_it_resumes_after_every_event(hub: Hub) -> None:
    runs = [await stored(events=3, finish=True) for _ in range(3)]
    found = parsed(await (await request(runs).open()).body())
    assert len({event.id for event in found}) == 9
    for number, event in enumerate(found):
        # In another order, and once in the query for clients that set no header.
        for query, headers in [("", after(event)), (f"after={event.id}", [])]:
            stream = await request(reversed(runs), query, headers=headers).open()
            rest = parsed(await stream.body()) if stream.status == 200 else []
            whole = {**dict.fromkeys((run.pk for run in runs), 0)}
            for seen in (*found[: number + 1], *rest):
                assert seen.seq == whole[seen.run] + 1
                whole[seen.run] = seen.seq
            assert set(whole.values()) == {3}
    assert hub.watched == 0


async def test_latest(hub: Hub) -> None:
    runs = [await stored(events=5), await stored(events=7), await stored(events=2, finish=True)]
    stream = await request(runs, "after=latest").open()
    opening = await until(stream, 3)
    assert [(event.run, event.seq, event.type) for event in opening] == [
        (run.pk, run.last_seq, "snapshot") for run in runs
    ]
    assert [bool(event.id) for event in opening] == [False, False, True]
    await emit(runs[0], 1)
    (live,) = await until(stream, 1)
    assert (live.run, live.seq) == (runs[0].pk, 6)
    await stream.disconnect()
    again = await request(runs, "after=latest", headers=after(opening[-1])).open()
    assert [(e.run, e.seq) for e in await until(again, 1)] == [(runs[0].pk, 6)]
    await again.disconnect()
    assert hub.watched == 0


async def test_latest_of_finished_runs_ends(hub: Hub) -> None:
    runs = [await stored(events=2, finish=True) for _ in range(2)]
    stream = await request(runs, "after=latest").open()
    found = parsed(await stream.body())
    assert [event.type for event in found] == ["snapshot", "snapshot"]
    assert (await request(runs, headers=after(found[-1])).open()).status == 204


async def test_a_run_named_twice_comes_once(hub: Hub) -> None:
    run = await stored(events=2, finish=True)
    stream = await request([run.pk, str(run.pk).upper(), run.pk]).open()
    assert of_each(parsed(await stream.body())) == {run.pk: [1, 2]}


async def test_unknown_runs_are_named(hub: Hub) -> None:
    run, unknown = await stored(events=1), [uuid4(), uuid4()]
    stream = await request([run, *unknown]).open()
    assert stream.status == 404
    assert stream.json["error"]["code"] == "no_such_run"
    assert stream.json["error"]["runs"] == [str(run_id) for run_id in unknown]
    assert hub.watched == 0


async def test_forbidden_runs_are_named(hub: Hub, settings: Any, ann: Login) -> None:
    settings.HEADWAY = {}
    hers, his = await stored(user=ann.user), await stored()
    stream = await request([hers, his], headers=[ann.cookie]).open()
    assert stream.status == 403
    assert stream.json["error"]["runs"] == [str(his.pk)]
    assert (await request([hers, his]).open()).status == 401
    alone = await request([hers], headers=[ann.cookie]).open()
    assert alone.status == 200
    await alone.disconnect()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "bad_request"),
        ("run=", "malformed_id"),
        ("run=x", "malformed_id"),
        ("run=%00%FF", "malformed_id"),
        ("run=RUN&after=0", "bad_cursor"),
        ("run=RUN&after=", "bad_cursor"),
        ("run=RUN&after=7", "bad_cursor"),
        ("run=RUN&after=%E2%98%83", "bad_cursor"),
        ("run=RUN&run=RUN2&run=RUN3", "too_many"),
    ],
)
async def test_a_bad_request(hub: Hub, settings: Any, query: str, code: str) -> None:
    settings.HEADWAY |= {"SUBSCRIPTIONS": 2}
    run = await stored(events=1)
    stream = await HttpStream("/tasks/events/", query.replace("RUN", str(run.pk))).open()
    assert (stream.status, stream.json["error"]["code"]) == (400, code)
    assert (hub.watched, hub.bundles) == (0, set())


@pytest.mark.parametrize("cursor", [b"", b"3", b"latest", b"\xff", b"A" * 4000])
async def test_a_bad_last_event_id(hub: Hub, cursor: bytes) -> None:
    run = await stored(events=1)
    stream = await request([run], headers=[(b"last-event-id", cursor)]).open()
    assert (stream.status, stream.json["error"]["code"]) == (400, "bad_cursor")


async def test_a_vector_of_other_runs(hub: Hub) -> None:
    one, two = [await stored(events=1, finish=True) for _ in range(2)]
    (event,) = parsed(await (await request([one]).open()).body())
    assert (await request([two], headers=after(event)).open()).status == 400


async def test_a_vector_beyond_a_log(hub: Hub) -> None:
    run = await stored(events=2, finish=True)
    found = parsed(await (await request([run]).open()).body())
    run.last_seq = 1
    await sync_to_async(run.save)()
    stream = await request([run], headers=after(found[-1])).open()
    assert (stream.status, stream.json["error"]["code"]) == (400, "bad_cursor")


async def test_heartbeats_only_while_all_are_silent(hub: Hub, settings: Any) -> None:
    runs = [await stored() for _ in range(3)]
    stream = await request(runs).open()
    assert await stream.chunk() == b"retry: 1000\n: heartbeat 15\n\n"
    (bundle,) = hub.bundles
    bundle.beat(60)
    await emit(runs[0], 1)
    assert len(parsed(await stream.chunk())) == 1
    bundle.beat(0)
    assert await stream.chunk() == b": heartbeat\n\n"
    await stream.disconnect()


async def test_going_away(hub: Hub) -> None:
    runs = [await stored(events=1) for _ in range(2)]
    stream = await request(runs).open()
    await until(stream, 2)
    hub.close()
    assert (await stream.body()).startswith(b"retry: ")
    assert hub.watched == 0


async def test_a_deleted_run_ends_the_stream_and_is_named_then(hub: Hub) -> None:
    run, other = await stored(events=1), await stored(events=1)
    stream = await request([run, other]).open()
    found = await until(stream, 2)
    await sync_to_async(TaskRun.objects.filter(pk=run.pk).delete)()
    assert await stream.body() == b""
    again = await request([run, other], headers=after(found[-1])).open()
    assert (again.status, again.json["error"]["runs"]) == (404, [str(run.pk)])


async def test_disconnecting_releases_everything(hub: Hub) -> None:
    runs = [await stored(events=1) for _ in range(10)]
    before = asyncio.all_tasks()
    streams = [await request(runs).open() for _ in range(3)]
    for stream in streams:
        await until(stream, 10)
    assert hub.watched == 10
    for stream in streams:
        await stream.disconnect()
    assert (hub.watched, hub.bundles) == (0, set())
    await settle()
    assert asyncio.all_tasks() == before


async def test_without_the_wrapper_django_streams_the_same(hub: Hub) -> None:
    runs = [await stored(events=3, finish=True) for _ in range(2)]
    query = "&".join(f"run={run.pk}" for run in runs)
    response: Any = await AsyncClient().get(f"/tasks/events/?{query}")
    body = b"".join([part async for part in response])
    assert of_each(parsed(body)) == {run.pk: [1, 2, 3] for run in runs}
    assert (hub.watched, hub.bundles) == (0, set())


async def test_without_a_hub_nothing_is_streamed(transactional_db: None) -> None:
    stream = await request([await stored()]).open()
    assert (stream.status, stream.json["error"]["code"]) == (503, "not_serving")
