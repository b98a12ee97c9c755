"""Events of several runs as one event stream, through Django and the wrapper around it."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from consumers.feeds.hub import Hub
from tasks.models import TaskRun

from ..fakes import seqs
from ..loops import lasting, settle
from ..rows import emit, stored
from .bundleevents import after, of_each, parsed, request, until

pytestmark = pytest.mark.usefixtures("anyone")


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
    before = lasting()
    streams = [await request(runs).open() for _ in range(3)]
    for stream in streams:
        await until(stream, 10)
    assert hub.watched == 10
    for stream in streams:
        await stream.disconnect()
    assert (hub.watched, hub.bundles) == (0, set())
    await settle()
    assert lasting() == before


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
