"""StreamTasks that are started again, and servers of theirs that are killed."""

import asyncio
import signal
from pathlib import Path

import pytest

from consumers.client import Event, HeadwayClient
from tests.chaos.service.marks import leave, left, marks
from tests.streamed.places import Live
from tests.streamed.site import Site, site, whole

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


async def follow(place: Site, name: str, pk: int, found: list[Event]) -> None:
    """With our own client, through everything."""
    async with HeadwayClient(place.url, **place.http) as client:
        async for event in client.watch_task(name, pk):
            found.append(event)


async def reach(found: list[Event], count: int) -> None:
    async with asyncio.timeout(60):
        while len(found) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # it is another process's event


@pytest.mark.parametrize(
    ("attempts", "lost", "ends"), [(1, 3, "completed"), (5, 1, "completed"), (1, 1, "failed")]
)
async def test_killed_and_restarted(
    live: Live, tmp_path: Path, attempts: int, lost: int, ends: str
) -> None:
    place = site(live, lease=2, lost_attempts=lost)
    place.server.start()
    begun = tmp_path / "begun"
    pk = await place.make("CountingTask", path=str(begun), count=30, attempts=attempts)
    assert await place.running("CountingTask", pk)
    found: list[Event] = []
    watching = asyncio.create_task(follow(place, "CountingTask", pk, found))
    await reach(found, 8)
    place.server.kill()
    place.server.restart()
    if ends == "completed":
        assert await place.running("CountingTask", pk)
    leave(f"{begun}.go", "it is another process")
    async with asyncio.timeout(90):
        await watching
    assert [event.seq for event in found] == list(range(1, len(found) + 1))
    assert [event.last for event in found] == [False] * (len(found) - 1) + [True]
    assert found[-1].type == ("run.finished" if ends == "completed" else "error")
    assert (await place.state("CountingTask", pk))["status"] == ends
    assert not await place.running("CountingTask", pk)
    assert len(marks(begun)) == (2 if ends == "completed" else 1)
    assert len(place.ledger.ids()) == 1


async def test_who_was_there_before_a_second_start_misses_nothing_of_it(place: Site) -> None:
    """An EventSource that comes again, wherever it was in the first execution."""
    pk = await place.make("OddTask", kind="raises")
    path = f"/stream/OddTask/{pk}"
    first = whole(await place.read(path))
    async with place.client() as client:
        answer = await client.get(path, headers={"Last-Event-ID": first[-1].id})
        assert answer.status_code == 204  # there is no second one yet
    await place.ask(f"/suite/start/OddTask/{pk}/")
    second = whole(await place.read(path))
    assert len(second) == len(first)
    assert not {block.id for block in first} & {block.id for block in second}
    for block in first:
        assert await place.read(path, after=block.id) == second
    for number, block in enumerate(second[:-1], 1):
        assert await place.read(path, after=block.id) == second[number:]


async def test_the_client_goes_on_to_a_second_start(tcp: Site) -> None:
    pk = await tcp.make("OddTask", kind="raises")
    first: list[Event] = []
    await follow(tcp, "OddTask", pk, first)
    await tcp.ask(f"/suite/start/OddTask/{pk}/")
    async with HeadwayClient(tcp.url) as client:
        watching = client.watch_task("OddTask", pk, after=first[-1].id)
        second = [event async for event in watching]
    assert [event.seq for event in second] == [event.seq for event in first] == [1, 2, 3, 4]
    assert second[0].id != first[0].id


async def test_killed_between_its_completion_and_its_end(live: Live, tmp_path: Path) -> None:
    place = site(live, lease=2)
    place.server.start()
    begun = tmp_path / "begun"
    pk = await place.make("CountingTask", path=str(begun), count=3, dies=True)
    leave(f"{begun}.go", "it has answered")
    assert place.server.wait() == -signal.SIGKILL
    assert left(f"{begun}.died")
    place.server.start()
    state = await place.state("CountingTask", pk)
    assert (state["status"], state["final_value"]) == ("completed", 3)
    found: list[Event] = []
    async with asyncio.timeout(60):
        await follow(place, "CountingTask", pk, found)
    assert [event.type for event in found if event.type == "progress"] == ["progress"] * 3
    assert found[-1].type == "run.finished"
    assert found[-1].data["return_value"] == 3
    assert len(marks(begun)) == 1  # it was not done again
    assert not await place.running("CountingTask", pk)


async def test_the_client_goes_with_the_server_through_its_restart(place: Site) -> None:
    pk = await place.make("CountingTask", count=40, pause=0.05)
    found: list[Event] = []
    watching = asyncio.create_task(follow(place, "CountingTask", pk, found))
    await reach(found, 5)
    place.server.terminate()
    place.server.restart()
    async with asyncio.timeout(90):
        await watching
    assert [event.seq for event in found] == list(range(1, len(found) + 1))
    assert found[-1].type == "run.finished"
