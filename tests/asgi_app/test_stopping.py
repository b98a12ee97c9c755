"""SIGTERM and SIGINT at real servers: what was under way, the exit code, the time."""

import signal
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.asgi_app.rows import Row, row
from tests.asgi_app.sockets import connect, connect_websocket, read_all, read_until, refuses
from tests.asgi_app.stopping import ALLOWANCE, CODES, SERVICE, enqueue, stop
from tests.live import LiveServer

pytestmark = pytest.mark.e2e

Start = Callable[..., LiveServer]


def starter(live: Start, kind: str) -> Start:
    """Starts servers of this kind, with the service's app and a grace period."""

    def start(grace: float, **env: str) -> LiveServer:
        env = {**SERVICE, "HEADWAY_GRACE": str(grace), **env}
        return live(env, server=kind).start()

    return start


@pytest.fixture(params=["daphne", "uvicorn"])
def start(request: pytest.FixtureRequest, live: Start) -> Start:
    return starter(live, request.param)


@pytest.fixture
def daphne(live: Start) -> Start:
    """Where what is tested does not depend on the server."""
    return starter(live, "daphne")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_under_way_ends_within_the_grace_period(start: Start, number: int) -> None:
    server = start(grace=6)
    run_id = enqueue(server, "rest", 1.5)

    took = stop(server, 6, number)

    assert row(server, run_id) == Row("SUCCESSFUL", 1)
    assert took < 5  # it went when the run had ended, not when the grace period had


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_longer_run_goes_back_and_its_attempt_is_not_counted(start: Start, number: int) -> None:
    server = start(grace=1)
    run_id = enqueue(server, "rest", 60)

    stop(server, 1, number)

    assert row(server, run_id) == Row("READY", 0)
    assert "task cancelled" in server.lines


def test_the_next_process_takes_it_up_before_any_request(daphne: Start) -> None:
    server = daphne(grace=0.5)
    run_id = enqueue(server, "rest", 60)
    stop(server, 0.5)

    server.start(wait=False).wait_line("task begun")

    assert row(server, run_id) == Row("RUNNING", 1)


def test_a_second_signal_ends_the_grace_period(daphne: Start) -> None:
    server = daphne(grace=40)
    run_id = enqueue(server, "rest", 60)
    server.terminate()
    server.wait_line("Stopping")

    stop(server, grace=0)

    assert row(server, run_id) == Row("READY", 0)


def test_a_process_without_work_goes_at_once(start: Start) -> None:
    server = start(grace=30)

    assert stop(server, grace=0) < ALLOWANCE


def test_new_connections_are_refused_while_it_drains(daphne: Start) -> None:
    server = daphne(grace=4)
    enqueue(server, "rest", 2)
    server.terminate()
    server.wait_line("Stopping")

    assert refuses(server, within=1)  # uvicorn looks at its flag ten times a second
    assert server.process.poll() is None

    stop(server, 4)


@pytest.mark.parametrize(
    ("begun", "rest", "status"),
    [
        (b"", b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        (b"GET /health/live HTTP/1.1\r\n", b"Host: localhost\r\n\r\n", 200),
        (b"POST /health/live HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n", b"{}", 405),
    ],
    ids=["connection", "head", "body"],
)
def test_a_connection_that_was_accepted_has_its_request_answered(
    daphne: Start, begun: bytes, rest: bytes, status: int
) -> None:
    """A proxy connects and then writes: refused in between, it cannot ask another process."""
    server = daphne(grace=6, HEADWAY_ROLE="web")
    with closing(connect(server)) as connection:
        connection.sendall(begun)
        httpx.get(f"{server.url}/health/live")  # by now it is accepted, and that is read
        server.terminate()
        server.wait_line("Stopping")
        assert refuses(server, within=1)
        time.sleep(0.3)  # an idle process would be gone

        connection.sendall(rest)

        assert read_all(connection).startswith(b"HTTP/1.1 %d" % status)
        assert server.wait() == 0, server.output


def test_a_request_without_an_answer_gets_one(daphne: Start) -> None:
    server = daphne(grace=6)
    with closing(connect(server)) as connection:
        connection.sendall(b"GET /slow/1.5/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        server.wait_line("view begun")

        took = stop(server, 6)

        assert read_all(connection).endswith(b"answered")
    assert took < 5


def test_an_answer_on_its_way_arrives(start: Start) -> None:
    server = start(grace=6)
    size = 20_000_000
    with closing(connect(server)) as connection:
        connection.sendall(f"GET /large/{size}/ HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = read_until(connection, b"\r\n\r\n")
        server.terminate()
        server.wait_line("Stopping")

        rest = read_all(connection)

    assert server.wait() in CODES[server.server]
    assert len((head + rest).partition(b"\r\n\r\n")[2]) == size


def test_an_open_stream_is_ended_and_not_cut(start: Start) -> None:
    server = start(grace=1)
    run_id = enqueue(server, "rest", 60)
    with closing(connect(server)) as stream:
        stream.sendall(f"GET /tasks/{run_id}/events/ HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        read_until(stream, b"started")

        stop(server, 1)

        assert read_all(stream).endswith(b"0\r\n\r\n"), server.output  # the last chunk


def test_a_stream_of_the_projects_own_does_not_hold_the_process(start: Start) -> None:
    """Django 5.2 leaves its task behind, and with it Python 3.11 crashes at exit."""
    server = start(grace=1)
    with closing(connect(server)) as stream:
        stream.sendall(b"GET /endless/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        read_until(stream, b"first")

        stop(server, 1)

    assert "stream ended" in server.lines


def test_half_a_request_does_not_hold_the_process(start: Start) -> None:
    """And keeps nobody else from ending in order."""
    server = start(grace=1)
    run_id = enqueue(server, "rest", 60)
    with closing(connect(server)) as half, connect_websocket(server, run_id) as websocket:
        half.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
        next(iter(websocket))

        stop(server, 1)

        with pytest.raises(ConnectionClosed) as closed:
            list(iter(websocket.recv, None))
    assert closed.value.rcvd is not None
    # uvicorn closes WebSockets itself, at once, with "service restart".
    assert closed.value.rcvd.code == {"daphne": 4012, "uvicorn": 1012}[server.server]


@pytest.mark.parametrize("view", ["occupy", "block"])
def test_a_view_that_never_ends_does_not_hold_the_process(start: Start, view: str) -> None:
    server = start(grace=0.5)
    with closing(connect(server)) as connection:
        connection.sendall(f"GET /{view}/60/ HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        server.wait_line("view begun")

        stop(server, 0.5)


def test_a_thread_that_never_ends_does_not_hold_the_process(daphne: Start) -> None:
    server = daphne(grace=0.5)
    run_id = enqueue(server, "occupy", 60)

    stop(server, 0.5)

    assert row(server, run_id) == Row("READY", 0)


def test_a_database_that_does_not_answer_does_not_hold_the_process(daphne: Start) -> None:
    server = daphne(grace=0.5)
    enqueue(server, "rest", 60)
    with server.stack.locked():
        stop(server, 0.5)


def test_an_engine_that_keeps_failing_ends_the_process(start: Start, live: Start) -> None:
    server = start(grace=30, HEADWAY_APPS="tests.asgi_app.broken")

    assert server.wait(20) > 0, server.output
    assert "Headway cannot go on: hub failed" in server.output


def test_the_worker_command_stops_alike(live: Start) -> None:
    env: dict[str, Any] = {**SERVICE, "HEADWAY_GRACE": "1"}
    web = live({**env, "HEADWAY_ROLE": "web"}).start()
    worker = live(env, server="worker").start()
    run_id = httpx.get(f"{web.url}/enqueue/rest/60/").text
    worker.wait_line("task begun")

    stop(worker, 1)

    assert row(web, run_id) == Row("READY", 0)
    assert "task begun" not in web.output
