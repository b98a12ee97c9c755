"""A right that ends, in one of two processes, closes every stream in both."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests import streams
from tests.chaos.service.client import enqueue
from tests.live import LiveServer
from tests.stacks import Serve, Show

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SOON = 2.0  # seconds in which a right that has ended closes streams
TRIES = 5  # a busy machine may be late, and not each time
PATIENCE = 30.0  # seconds

Headers = Mapping[str, str]


@asynccontextmanager
async def event_stream(server: LiveServer, path: str, headers: Headers) -> AsyncIterator[Any]:
    """Open, with its first event; to be awaited to its end."""
    accept = {"Accept": "text/event-stream", **headers}
    async with streams.get(server.port, path, accept) as response:
        assert response.status == 200, await response.text()
        chunks = response.chunks()
        while b"data:" not in await anext(chunks):
            pass

        async def ended() -> None:
            async for _ in chunks:
                pass

        yield ended


@asynccontextmanager
async def web_socket(
    server: LiveServer, path: str, headers: Headers, run_id: str | None
) -> AsyncIterator[Any]:
    """The same; what is awaited gives the code of the end, of a subscription as of a socket."""
    url = f"{server.ws_url}/ws/tasks/{path}"
    async with connect(url, additional_headers=headers, proxy=None, ping_interval=None) as ws:
        if run_id is not None:
            await ws.send(json.dumps({"op": "subscribe", "run": run_id}))
            assert json.loads(await ws.recv())["ok"]
        assert "seq" in json.loads(await ws.recv())

        async def ended() -> int:
            return await end_of(ws)

        yield ended


async def end_of(ws: ClientConnection) -> int:
    try:
        while True:
            said = json.loads(await ws.recv())
            if said.get("op") == "ended":
                assert "message" in said["error"]
                return {"forbidden": 4403}.get(said["error"]["code"], 4401)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 0


async def until_all_end(
    servers: list[LiveServer], run_id: str, headers: Headers, act: Callable[[], object]
) -> tuple[float, set[int]]:
    """Watch in every way on every server; do it; the seconds to the last end, and the codes."""
    ends: list[Any] = []
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        opened = asyncio.Semaphore(0)
        go = asyncio.Event()

        async def watch(opening: Any) -> None:
            async with opening as ended:
                opened.release()
                await go.wait()
                ends.append(await ended())

        count = 0
        for server in servers:
            for opening in (
                event_stream(server, f"/tasks/{run_id}/events/", headers),
                event_stream(server, f"/tasks/events/?run={run_id}", headers),
                web_socket(server, f"{run_id}/", headers, None),
                web_socket(server, "", headers, run_id),
            ):
                group.create_task(watch(opening))
                count += 1
        for _ in range(count):
            await opened.acquire()
        go.set()
        began = time.monotonic()
        await asyncio.to_thread(act)
    return time.monotonic() - began, {code for code in ends if code is not None}


class Hands:
    """What the test does to rights, on one server."""

    def __init__(self, server: LiveServer) -> None:
        self._url = server.url
        self._cookies: dict[str, str] = {}

    def do(self, path: str) -> str:
        return self._get(path).text

    def sign_in(self) -> Headers:
        self._cookies = {}
        self._cookies = dict(self._get("login").cookies)
        return {"Cookie": f"sessionid={self._cookies['sessionid']}"}

    def grant(self, run_id: str) -> Headers:
        return {"Authorization": f"Bearer {self.do(f'grant/{run_id}/stream')}"}

    def _get(self, path: str) -> httpx.Response:
        url = f"{self._url}/suite/{path}/"
        return httpx.get(url, cookies=self._cookies, timeout=PATIENCE).raise_for_status()


async def test_a_right_that_ends_closes_streams_on_both_processes(
    serve: Serve, show: Show, tmp_path: Any
) -> None:
    servers = [serve(authz="unless_closed").start(), serve(authz="unless_closed").start()]
    run_id = enqueue(servers[0], "tick_until", str(tmp_path / "end"), 0.1)
    hands = Hands(servers[0])

    ways: dict[str, tuple[Callable[[], Headers], str, int]] = {
        "logout": (hands.sign_in, "logout", 4401),
        "deactivated": (hands.sign_in, "deactivate", 4401),
        "AUTHZ": (hands.sign_in, "close", 4403),
        "revoked": (lambda: hands.grant(run_id), f"revoke/{run_id}", 4401),
    }
    for way, (let_in, act, code) in ways.items():
        for _ in range(TRIES):
            hands.do("reopen")
            headers = await asyncio.to_thread(let_in)
            took, codes = await until_all_end(
                servers,
                run_id,
                headers,
                lambda act=act: hands.do(act),  # type: ignore[misc]
            )
            assert codes == {code}
            show(f"{way}: the last of 8 in {took:.2f} s")
            if took < SOON:
                break
        else:
            raise AssertionError(f"{way}: never within {SOON} s")
    hands.do("reopen")
    (tmp_path / "end").touch()


PIECES = 40  # letters of a grant that must not be seen in a row


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
async def test_no_grant_is_written_to_a_log(serve: Serve, server: str, tmp_path: Any) -> None:
    """Neither to the access log, which has URLs, nor elsewhere, at whatever level of ours."""
    live = serve(server=server, authz=None, complains=True)
    live.env |= {"LOG_LEVEL": "DEBUG"}
    if server == "daphne":
        live.arguments = ("-v", "3")
    live.start()
    run_id = enqueue(live, "tick_until", str(tmp_path / "end"), 0.1)
    hands = Hands(live)
    grant = hands.do(f"grant/{run_id}/stream")
    tampered = grant[:-1] + ("A" if grant[-1] != "A" else "B")
    for text, status in ((grant, 200), (tampered, 401)):
        for path in (f"/tasks/{run_id}/events/?", f"/tasks/events/?run={run_id}&"):
            for name in ("grant", "gr%61nt"):
                async with streams.get(live.port, f"{path}{name}={text}&after=latest") as response:
                    assert response.status == status
    for path, status in (("/nowhere/", 404), ("/suite/fail/", 500)):
        answer = await asyncio.to_thread(httpx.get, f"{live.url}{path}?grant={grant}")
        assert answer.status_code == status
    url = f"{live.ws_url}/ws/tasks/{run_id}/"
    offered = [Subprotocol("headway"), Subprotocol(f"headway.grant.{grant}")]
    async with connect(url, subprotocols=offered, proxy=None) as ws:
        assert ws.subprotocol == "headway"
        await ws.send(json.dumps({"op": "grant", "grant": grant}))
        while "op" not in json.loads(await ws.recv()):
            pass
    async with connect(f"{url}?grant={grant}&after=latest", proxy=None) as ws:
        assert json.loads(await ws.recv())["type"] == "snapshot"
    (tmp_path / "end").touch()
    live.wait_line(f"/tasks/{run_id}/events/.*after=latest")
    live.wait_line("/suite/fail/")
    live.terminate()
    live.wait()
    places = range(0, len(grant) - PIECES, PIECES)
    seen = [line for line in live.lines if any(grant[i : i + PIECES] in line for i in places)]
    assert seen == []
