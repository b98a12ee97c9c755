"""What people do with the streaming coordinator, done here: on TCP and on a Unix socket."""

import asyncio
import re
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from consumers.client import Event, HeadwayClient
from tests.chaos.service.marks import leave, left, marks
from tests.live import LiveServer
from tests.streamed.site import Block, Site, UnixServer, site, types

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

Live = Callable[..., LiveServer]
BEGUN = ["run.queued", "run.started"]


@pytest.fixture(params=["tcp", "unix"])
def place(request: pytest.FixtureRequest, live: Live) -> Iterator[Site]:
    made = site(live, request.param)
    with made.server:
        made.server.start()
        yield made
    output = made.server.output
    assert output.count("Traceback") == output.count("RuntimeError: It broke."), output


@pytest.fixture
def tcp(live: Live) -> Site:
    made = site(live)
    made.server.start()
    return made


def whole(found: list[Block]) -> list[Block]:
    """The blocks, which are a log without a hole, to its end."""
    assert [block.seq for block in found] == list(range(1, len(found) + 1))
    assert found[-1].data["_final"] is True
    return found


async def test_the_five_examples(place: Site) -> None:
    made = {
        "ExampleTask": await place.make("ExampleTask", message="Hello"),
        "ContinueTask": await place.make("ContinueTask"),
        "AsyncGeneratorTask": await place.make("AsyncGeneratorTask", count=4),
        "SyncGeneratorTask": await place.make("SyncGeneratorTask", items=["a", "b"]),
    }
    # Fetched from a server on TCP, wherever the others are.
    if not isinstance(place.server, UnixServer):
        url = f"{place.url}/suite/data.json"
        made["HttpFetchTask"] = await place.make("HttpFetchTask", url=url)
    await place.ask(f"/suite/continue/{made['ContinueTask']}/")
    said = {
        "ExampleTask": ["start", *["progress"] * 3, "complete"],
        "ContinueTask": ["started", "final", "complete"],
        "AsyncGeneratorTask": ["start", *["progress"] * 4, "complete"],
        "SyncGeneratorTask": ["start", *["progress"] * 2, "complete"],
        "HttpFetchTask": ["start", *["progress"] * 2, "complete"],
    }
    values = {
        "ExampleTask": {"message": "Hello", "completed": True},
        "ContinueTask": "continued",
        "AsyncGeneratorTask": {"step": 4, "total": 4},
        "SyncGeneratorTask": {"index": 1, "item": "b", "known": True},
        "HttpFetchTask": {"fetched": [1, 2, 3]},
    }
    for name, pk in made.items():
        found = whole(await place.read(f"/stream/streamed/{name}/{pk}"))
        assert types(found) == [*BEGUN, *said[name], "run.finished"]
        assert {block.data["_task_id"] for block in found} == {pk}
        printed = await place.curl(f"/stream/{name}/{pk}")
        assert re.findall(r"^event: (.+)$", printed, re.MULTILINE) == types(found)
        state = await place.state(name, pk)
        assert (state["status"], state["final_value"]) == ("completed", values[name])


async def test_health_is_plain(place: Site) -> None:
    printed = await place.curl("/health", "-i")
    assert printed.startswith("HTTP/1.1 200 OK\r\n")
    assert re.search(r"(?i)^content-type: text/plain", printed, re.MULTILINE)
    assert printed.endswith("\r\n\r\nOK")


def had(seq: int, block: Block) -> bool:
    return block.seq >= seq


async def test_ten_viewers_who_join_at_different_moments(place: Site) -> None:
    pk = await place.make("CountingTask", count=60, pause=0.03)
    path = f"/stream/CountingTask/{pk}"
    viewers = [asyncio.create_task(place.read(path))]
    for number in range(1, 9):
        # Each comes once an earlier one has had so many.
        await place.read(path, until=partial(had, number * 6))
        viewers.append(asyncio.create_task(place.read(path)))
    first, *others = await asyncio.gather(*viewers)
    others.append(await place.read(path))
    assert len(whole(first)) == 63
    assert all(other == first for other in others)
    assert len(others) == 9


async def test_a_hundred_gets_start_nothing(tcp: Site) -> None:
    failed = await tcp.make("OddTask", kind="raises")
    done = await tcp.make("ExampleTask")
    unstarted = await tcp.make("ExampleTask", start=False)
    for name, pk in (("OddTask", failed), ("ExampleTask", done)):
        whole(await tcp.read(f"/stream/{name}/{pk}"))
    before = (await tcp.ask("/suite/runs/"))["count"]
    for name, pk in (("OddTask", failed), ("ExampleTask", done), ("ExampleTask", unstarted)):
        async with tcp.client() as client:
            for _ in range(100):
                assert (await client.get(f"/stream/{name}/{pk}")).status_code == 200
        assert not await tcp.running(name, pk)
    assert (await tcp.ask("/suite/runs/"))["count"] == before == 2


@pytest.mark.parametrize(
    ("kind", "type_", "message"),
    [("raises", "RuntimeError", "It broke."), ("unserialisable", "InvalidValue", "object")],
)
async def test_a_failure_reaches_who_watches_and_who_comes_late(
    tcp: Site, kind: str, type_: str, message: str
) -> None:
    pk = await tcp.make("OddTask", kind=kind, start=False)
    await tcp.ask(f"/suite/start/OddTask/{pk}/")
    path = f"/stream/OddTask/{pk}"
    live = whole(await tcp.read(path))
    assert live == await tcp.read(path)
    assert types(live) == [*BEGUN, "start", "error"]
    assert live[-1].data["error_type"] == type_
    assert message in live[-1].data["message"]
    assert "Traceback" not in await tcp.curl(path)
    (run_id,) = tcp.ledger.ids()
    assert "Traceback" in str(tcp.ledger.everything(run_id)[0])


async def test_started_from_a_sync_view(tcp: Site) -> None:
    pk = await tcp.make("ExampleTask", start=False)
    assert not await tcp.running("ExampleTask", pk)
    assert (await tcp.ask(f"/suite/start/ExampleTask/{pk}/"))["running"] is True
    whole(await tcp.read(f"/stream/ExampleTask/{pk}"))
    assert "SynchronousOnlyOperation" not in tcp.server.output


async def test_started_in_two_processes_at_once_it_has_one_run(live: Live) -> None:
    places = [site(live), site(live)]
    for place in places:
        place.server.start()
    keys = [await places[0].make("ExampleTask", start=False) for _ in range(8)]
    paths = [f"/suite/start/ExampleTask/{pk}/" for pk in keys]
    await asyncio.gather(*(place.ask(path) for path in paths for place in places * 2))
    assert (await places[1].ask("/suite/runs/"))["count"] == len(keys)
    for pk in keys:
        first, second = [await place.read(f"/stream/ExampleTask/{pk}") for place in places]
        assert whole(first) == second


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


async def test_the_command_serves_a_socket_and_removes_a_stale_one(live: Live) -> None:
    place = site(live, "command")
    with place.server as server:
        assert isinstance(server, UnixServer)
        server.start()
        pk = await place.make("ExampleTask")
        whole(await place.read(f"/stream/ExampleTask/{pk}"))
        server.kill()
        assert server.socket.is_socket()
        server.restart()
        assert "Removed the stale socket" in server.output
        whole(await place.read(f"/stream/ExampleTask/{pk}"))
        server.terminate()
        assert server.wait() == 0


async def test_the_command_leaves_what_is_not_stale(place: Site) -> None:
    env, folder = place.server.env, place.server.folder
    other = UnixServer(folder, env, stack=place.server.stack)
    other.by_command = True
    with other:
        if isinstance(place.server, UnixServer):
            other.port = place.server.port
            said = "A server listens on"
        else:
            other.socket.write_text("mine")
            said = "is no socket"
        other.start(wait=False)
        assert other.wait(90) == 1
        assert said in other.output
        assert await place.curl("/health") == "OK"
        assert other.socket.exists()
