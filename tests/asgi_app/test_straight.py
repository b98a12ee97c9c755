"""Writing straight to sockets, under a real daphne, beside everyone else who writes to them."""

import struct
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.asgi_app.parts import part
from tests.asgi_app.readers import (
    Frame,
    Way,
    body,
    frames,
    masked,
    plain,
    request,
    started,
    unix,
)
from tests.asgi_app.sockets import read_all, read_to
from tests.live import LiveServer
from tests.processes import free_port
from tests.services.certificate import make_certificate

pytestmark = pytest.mark.e2e

SIZE = 100_000  # more than a reader's kernel takes at once
COUNT = 150  # parts: more than both buffers of a socket can hold
PING, PONG, CLOSE, TEXT = 0x89, 10, 8, 1

Start = Callable[..., LiveServer]


@pytest.fixture
def start(live: Start) -> Start:
    def start(*arguments: str) -> LiveServer:
        application = "tests.asgi_app.straight:application"
        return started(live({}, arguments=arguments, application=application))

    return start


def whole(size: int = SIZE, count: int = COUNT) -> bytes:
    return b"".join(part(number, size) for number in range(count))


def how(server: LiveServer) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{server.url}/how/a/", timeout=20).json()
    return found


def full(server: LiveServer, within: float = 20.0) -> None:
    """Wait until a socket has not taken all of a part, of which its reader reads nothing."""
    deadline = time.monotonic() + within
    while not how(server).get("unfinished"):
        assert time.monotonic() < deadline, how(server)
        time.sleep(0.02)  # not to be the server's only load


def texts(found: list[Frame]) -> bytes:
    return b"".join(frame.payload for frame in found if frame.opcode == TEXT)


@pytest.mark.parametrize("kind", ["tcp", "unix"])
@pytest.mark.parametrize("websocket", [False, True])
def test_what_a_socket_does_not_take_follows_in_order(
    start: Start, tmp_path: Path, kind: str, websocket: bool
) -> None:
    way = unix(tmp_path / "socket")
    server = start(*(way.arguments if kind == "unix" else ()))
    way = way if kind == "unix" else plain(server)
    with closing(way.open()) as reader:
        reader.sendall(request(f"/straight/a/{COUNT}/{SIZE}/", websocket=websocket))
        full(server)
        if websocket:
            data = read_to(reader, b"\x88\x02" + struct.pack("!H", 4000))
            same = texts(list(frames(data))) == whole()
        else:
            same = body(read_to(reader, b"\r\n0\r\n\r\n")) == (whole(), b"")
    assert same  # no comparison in words of so many bytes
    found = how(server)
    assert found["straight"] + found["sent"] == COUNT
    assert found["shut"] >= found["unfinished"]


def test_with_tls_there_is_no_straight_way(start: Start, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    port = free_port()
    endpoint = f"ssl:{port}:interface=127.0.0.1:privateKey={key}:certKey={certificate}"
    server = start("-e", endpoint)
    with closing(Way((), ("127.0.0.1", port), tls=True).open()) as reader:
        reader.sendall(request(f"/straight/a/{COUNT}/{SIZE}/"))
        same = body(read_to(reader, b"\r\n0\r\n\r\n")) == (whole(), b"")
    assert same
    assert how(server) == {"sent": COUNT}


def test_who_speaks_http_1_0_gets_it_as_it_is(start: Start) -> None:
    server = start()
    with closing(plain(server).open()) as reader:
        reader.sendall(f"GET /straight/a/{COUNT}/800/ HTTP/1.0\r\n\r\n".encode())
        _, _, data = read_all(reader).partition(b"\r\n\r\n")
    assert data == whole(800)
    assert how(server)["straight"] > 0


def test_a_head_request_gets_nothing_straight(start: Start) -> None:
    server = start()
    with closing(plain(server).open()) as reader:
        reader.sendall(request(f"/straight/a/{COUNT}/800/", method="HEAD") + request("/last/"))
        data = read_to(reader, b"/last/")
    assert data.count(b"HTTP/1.1 200") == 2
    assert len(data) < 1000
    assert "straight" not in how(server)


def test_the_servers_own_frames_come_between_whole_messages(start: Start) -> None:
    server = start()
    pings = 50
    with closing(plain(server).open()) as reader:
        reader.sendall(request("/straight/a/20000/800/", websocket=True))
        data = reader.recv(65_536)
        for number in range(pings):
            reader.sendall(masked(b"%d" % number, PING))
            data += reader.recv(65_536)
        data += read_to(reader, b"\x88\x02" + struct.pack("!H", 4000))
    found = list(frames(data))
    pongs = [frame.payload for frame in found if frame.opcode == PONG]
    assert pongs == [b"%d" % number for number in range(pings)]
    first = [frame.opcode for frame in found].index(PONG)
    assert {frame.opcode for frame in found[first:]} == {TEXT, PONG, CLOSE}
    same = texts(found) == whole(800, 20_000)
    assert same
    assert how(server)["shut"] > 0  # not for each: some pings are read together


def test_nothing_follows_the_answer_to_a_close(start: Start) -> None:
    server = start()
    with closing(plain(server).open()) as reader:
        reader.sendall(request("/straight/a/20000/800/", websocket=True))
        data = reader.recv(65_536)
        reader.sendall(masked(struct.pack("!H", 1000), 0x88))
        data += read_all(reader)
    *messages, close = frames(data)
    assert close.opcode == CLOSE
    sent = texts(messages)
    assert len(sent) < 20_000 * 800
    assert sent == whole(800, len(sent) // 800)
