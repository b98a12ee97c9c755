"""The shipped nginx.conf in front of web processes, and of something that hangs up."""

import asyncio
import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.chaos.service.client import enqueue
from tests.ledger import Ledger
from tests.live import LiveServer
from tests.services import Nginx
from tests.stacks import Serve
from tests.watchers import End, SocketWatcher, StreamWatcher, Watcher, exactly, watching

pytestmark = pytest.mark.e2e


@pytest.fixture
def web(serve: Serve) -> list[LiveServer]:
    return [serve(lease=2.0).start() for _ in range(2)]


@pytest.fixture
def nginx(web: list[LiveServer]) -> Iterator[Nginx]:
    with Nginx([server.port for server in web]) as server:
        yield server


def some(port: int, run_id: str) -> list[Watcher]:
    streams: list[Watcher] = [StreamWatcher(port, run_id) for _ in range(4)]
    return streams + [SocketWatcher(port, run_id) for _ in range(4)]


async def test_watchers_of_a_killed_process_go_on_at_the_other(
    web: list[LiveServer], nginx: Nginx, ledger: Ledger
) -> None:
    run_id = enqueue(nginx, "emit", 60, 0.05)
    watchers = some(nginx.port, run_id)
    async with watching(watchers):
        for watcher in watchers:
            await watcher.reach(5)
        web[0].kill()
    exactly(watchers, ledger)
    cut = sum(End.CUT in watcher.ends for watcher in watchers)
    assert 0 < cut < len(watchers)  # nginx had spread them
    ready = await asyncio.to_thread(httpx.get, f"{nginx.url}/health/ready")
    assert ready.status_code == 200


async def test_events_come_when_they_are_said(nginx: Nginx, ledger: Ledger, tmp_path: Path) -> None:
    """And not when nginx has gathered some: this run goes on once all have seen it rest."""
    run_id = enqueue(nginx, "rest_until", str(tmp_path / "seen"))
    watchers = some(nginx.port, run_id)
    async with watching(watchers):
        for watcher in watchers:
            await watcher.reach(3)  # queued, started, resting
        (tmp_path / "seen").touch()
    exactly(watchers, ledger)


class HangingUp(socketserver.ThreadingTCPServer):
    """Reads a request and hangs up, as a process does that is killed at work."""

    daemon_threads = True

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        super().__init__(("127.0.0.1", 0), Reader)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def server_close(self) -> None:
        self.shutdown()
        super().server_close()


class Reader(socketserver.BaseRequestHandler):
    server: HangingUp

    def handle(self) -> None:
        self.server.requests.append(self.request.recv(65_536))


@pytest.mark.parametrize(("method", "asked"), [("GET", 2), ("POST", 1), ("DELETE", 2)])
def test_a_request_that_was_sent_is_repeated_if_it_may_be(method: str, asked: int) -> None:
    with ExitStack() as stack:
        stubs = [stack.enter_context(HangingUp()) for _ in range(2)]
        nginx = stack.enter_context(Nginx([stub.port for stub in stubs]))
        assert httpx.request(method, f"{nginx.url}/tasks/").status_code == 502
        seen = [request for stub in stubs for request in stub.requests]
        assert [request.split()[0].decode() for request in seen] == [method] * asked


def test_the_client_cannot_say_who_it_is() -> None:
    claims = {"X-Forwarded-For": "10.9.8.7", "X-Forwarded-Proto": "https", "Host": "shop.test"}
    with HangingUp() as stub, Nginx([stub.port]) as nginx:
        httpx.get(nginx.url, headers=claims)
        lines = stub.requests[0].decode().splitlines()
    assert "X-Forwarded-For: 127.0.0.1" in lines
    assert "X-Forwarded-Proto: http" in lines
    assert "Host: shop.test" in lines
    assert "10.9.8.7" not in "".join(lines)


def test_a_large_body_goes_no_further() -> None:
    with HangingUp() as stub, Nginx([stub.port]) as nginx:
        answer = httpx.post(f"{nginx.url}/tasks/", content=b" " * (1024**2 + 1))
        assert answer.status_code == 413
        assert stub.requests == []
