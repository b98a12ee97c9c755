"""What people do with the streaming coordinator, done here: on TCP and on a Unix socket."""

import asyncio
import re
from functools import partial

import pytest

from tests.streamed.places import Live
from tests.streamed.site import Block, Site, UnixServer, site, types, whole

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

BEGUN = ["run.queued", "run.started"]


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
