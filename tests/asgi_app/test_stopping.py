"""SIGTERM and SIGINT at real servers: what was under way, the exit code, the time."""

import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from tests.asgi_app.rows import Row, row
from tests.live import LiveServer

pytestmark = pytest.mark.e2e

ALLOWANCE = 2.0  # seconds after the grace period within which the process is gone
SERVICE = {
    "HEADWAY_APPS": "tests.asgi_app.service",
    "HEADWAY_AUTHZ": "tests.asgi_app.service.authz.everybody",
}
# uvicorn ends with the signal that it was sent, once it has shut down in order.
CODES: dict[str, tuple[int, ...]] = {
    "daphne": (0,),
    "worker": (0,),
    "uvicorn": (0, -signal.SIGTERM, -signal.SIGINT),
}

Start = Callable[..., LiveServer]


@pytest.fixture(params=["daphne", "uvicorn"])
def start(request: pytest.FixtureRequest, live: Start) -> Start:
    """Starts a server with the service's app and this grace period."""

    def start(grace: float, **env: str) -> LiveServer:
        env = {**SERVICE, "HEADWAY_GRACE": str(grace), **env}
        return live(env, server=request.param).start()

    return start


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=20) as client:
        yield client


def stop(server: LiveServer, grace: float, number: int = signal.SIGTERM) -> float:
    """Send the signal, expect an orderly end in time; seconds it took."""
    began = time.monotonic()
    server.signal(number)
    code = server.wait()
    took = time.monotonic() - began
    assert code in CODES[server.server], server.output
    assert took <= grace + ALLOWANCE, server.output
    return took


def enqueue(client: httpx.Client, server: LiveServer, name: str, seconds: float) -> str:
    run_id = client.get(f"{server.url}/enqueue/{name}/{seconds}/").raise_for_status().text
    server.wait_line("task begun")
    return run_id


def connect(server: LiveServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def refuses(server: LiveServer, within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            connect(server).close()
        except ConnectionRefusedError:
            return True
        time.sleep(0.02)  # not to fill the backlog
    return False


def read_until(connection: socket.socket, text: bytes) -> bytes:
    """Read until *text* has come; fails at the end of the connection."""
    got = b""
    while text not in got:
        chunk = connection.recv(4096)
        assert chunk, got
        got += chunk
    return got


def read_all(connection: socket.socket) -> bytes:
    got = b""
    while chunk := connection.recv(4096):
        got += chunk
    return got


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_under_way_ends_within_the_grace_period(
    start: Start, client: httpx.Client, number: int
) -> None:
    server = start(grace=6)
    run_id = enqueue(client, server, "rest", 1.5)

    took = stop(server, 6, number)

    assert row(server.folder, run_id) == Row("SUCCESSFUL", 1)
    assert took < 5  # it went when the run had ended, not when the grace period had


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_longer_run_goes_back_and_its_attempt_is_not_counted(
    start: Start, client: httpx.Client, number: int
) -> None:
    server = start(grace=1)
    run_id = enqueue(client, server, "rest", 60)

    stop(server, 1, number)

    assert row(server.folder, run_id) == Row("READY", 0)
    assert "task cancelled" in server.lines


def test_the_next_process_takes_it_up_before_any_request(
    start: Start, client: httpx.Client
) -> None:
    server = start(grace=0.5)
    run_id = enqueue(client, server, "rest", 60)
    stop(server, 0.5)

    server.start(wait=False).wait_line("task begun")

    assert row(server.folder, run_id) == Row("RUNNING", 1)


def test_a_second_signal_ends_the_grace_period(start: Start, client: httpx.Client) -> None:
    server = start(grace=40)
    run_id = enqueue(client, server, "rest", 60)
    server.terminate()
    server.wait_line("Stopping")

    stop(server, grace=0)

    assert row(server.folder, run_id) == Row("READY", 0)


def test_a_process_without_work_goes_at_once(start: Start) -> None:
    server = start(grace=30)

    assert stop(server, grace=0) < ALLOWANCE


def test_new_connections_are_refused_while_it_drains(start: Start, client: httpx.Client) -> None:
    server = start(grace=4)
    enqueue(client, server, "rest", 2)
    server.terminate()
    server.wait_line("Stopping")

    assert refuses(server, within=1)  # uvicorn looks at its flag ten times a second
    assert server.process.poll() is None

    stop(server, 4)


def test_a_request_without_an_answer_gets_one(start: Start) -> None:
    server = start(grace=6)
    with closing(connect(server)) as connection:
        connection.sendall(b"GET /slow/1.5/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        server.wait_line("view begun")

        took = stop(server, 6)

        assert read_all(connection).endswith(b"answered")
    assert took < 5


def test_open_streams_are_ended(start: Start, client: httpx.Client) -> None:
    """Its own streams cleanly, the project's endless ones and half a request somehow."""
    server = start(grace=1)
    run_id = enqueue(client, server, "rest", 60)
    with (
        closing(connect(server)) as half,
        closing(connect(server)) as endless,
        closing(connect(server)) as ours,
    ):
        half.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
        endless.sendall(b"GET /endless/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        read_until(endless, b"first")
        path = f"/tasks/{run_id}/events/"
        ours.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        read_until(ours, b"started")

        stop(server, 1)

        # The last chunk: the stream has ended, and was not cut.
        assert read_all(ours).endswith(b"0\r\n\r\n"), server.output
    assert "Segmentation" not in server.output


@pytest.mark.parametrize("view", ["occupy", "block"])
def test_a_view_that_never_ends_does_not_hold_the_process(start: Start, view: str) -> None:
    server = start(grace=0.5)
    with closing(connect(server)) as connection:
        connection.sendall(f"GET /{view}/60/ HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        server.wait_line("view begun")

        stop(server, 0.5)


def test_a_thread_that_never_ends_does_not_hold_the_process(
    start: Start, client: httpx.Client
) -> None:
    server = start(grace=0.5)
    enqueue(client, server, "occupy", 60)

    stop(server, 0.5)


def test_a_database_that_does_not_answer_does_not_hold_the_process(
    start: Start, client: httpx.Client
) -> None:
    server = start(grace=0.5)
    enqueue(client, server, "rest", 60)
    with closing(sqlite3.connect(server.folder / "db.sqlite3", timeout=10)) as connection:
        connection.execute("BEGIN IMMEDIATE")  # every other writer waits for its 20 s

        stop(server, 0.5)


def test_an_engine_that_keeps_failing_ends_the_process(start: Start, live: Start) -> None:
    server = start(grace=30, HEADWAY_APPS="tests.asgi_app.broken")

    assert server.wait(20) > 0, server.output
    assert "Headway cannot go on: hub failed" in server.output


def test_the_worker_command_stops_alike(live: Start, client: httpx.Client) -> None:
    env: dict[str, Any] = {**SERVICE, "HEADWAY_GRACE": "1"}
    web = live({**env, "HEADWAY_ROLE": "web"}).start()
    worker = live(env, server="worker").start()
    run_id = client.get(f"{web.url}/enqueue/rest/60/").text
    worker.wait_line("task begun")

    stop(worker, 1)

    assert row(web.folder, run_id) == Row("READY", 0)
    assert "task begun" not in web.output
