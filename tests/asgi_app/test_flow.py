"""Readers that do not read, under a real daphne."""

import socket
import struct
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.asgi_app.parts import part
from tests.asgi_app.readers import Way, body, frames, masked, plain, request, started, unix
from tests.asgi_app.sockets import read_all, read_to
from tests.live import LiveServer
from tests.processes import free_port
from tests.services.certificate import make_certificate

pytestmark = pytest.mark.e2e

SIZE = 100_000
COUNT = 300  # parts: 30 MB, of which a process without back-pressure has every byte
ROOM = 8_000_000  # bytes: more than a socket's two buffers and Twisted's mark can hold

Start = Callable[..., LiveServer]


@pytest.fixture
def start(live: Start) -> Start:
    def start(*arguments: str, server: str = "daphne", **env: str) -> LiveServer:
        application = "tests.asgi_app.torrent:application"
        return started(live(env, server=server, arguments=arguments, application=application))

    return start


@pytest.fixture(params=["tcp", "tls", "unix"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Way:
    match request.param:
        case "tcp":
            return Way((), ("127.0.0.1", 0))
        case "tls":
            certificate, key = make_certificate(tmp_path)
            port = free_port()
            endpoint = f"ssl:{port}:interface=127.0.0.1:privateKey={key}:certKey={certificate}"
            return Way(("-e", endpoint), ("127.0.0.1", port), tls=True)
        case _:
            return unix(tmp_path / "socket")


def poured(server: LiveServer, name: str = "a") -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{server.url}/poured/{name}/", timeout=20).json()
    return found


def stuck(server: LiveServer, name: str = "a") -> int:
    """Wait until no more is sent; how many parts were."""
    sent = -1
    while (now := poured(server, name).get("sent", 0)) != sent or now == 0:
        sent = now
        time.sleep(0.2)  # a sender that is not held up sends hundreds meanwhile
    return int(sent)


def ended(server: LiveServer, name: str = "a", within: float = 10.0) -> None:
    deadline = time.monotonic() + within
    while not poured(server, name)["ended"]:
        assert time.monotonic() < deadline, poured(server, name)
        time.sleep(0.02)  # not to be the server's only load


def whole(count: int) -> bytes:
    return b"".join(part(number, SIZE) for number in range(count))


def check(data: bytes, websocket: bool, count: int = COUNT) -> None:
    """All parts, once each and in order, and then an end."""
    if websocket:
        *messages, close = frames(data)
        same = b"".join(payload for opcode, payload in messages if opcode == 1) == whole(count)
        assert (close.opcode, close.payload) == (8, struct.pack("!H", 4000))
    else:
        same = body(data) == (whole(count), b"")
    assert same  # no comparison in words of so many bytes


def read_until_end(reader: socket.socket, websocket: bool) -> bytes:
    return read_to(reader, b"\x88\x02\x0f\xa0" if websocket else b"\r\n0\r\n\r\n")


@pytest.mark.parametrize("websocket", [False, True])
def test_a_sender_waits_and_all_arrives(start: Start, way: Way, websocket: bool) -> None:
    server = start(*way.arguments)
    way = way if way.arguments else plain(server)
    before = server.usage().rss
    with closing(way.open()) as reader:
        reader.sendall(request(f"/pour/a/{COUNT}/{SIZE}/", websocket=websocket))

        assert stuck(server) * SIZE < ROOM
        assert server.usage().rss - before < ROOM

        data = read_until_end(reader, websocket)
    check(data, websocket)
    ended(server)


@pytest.mark.parametrize("websocket", [False, True])
def test_one_who_never_reads_is_cut_off(start: Start, way: Way, websocket: bool) -> None:
    server = start(*way.arguments, HEADWAY_STUCK="1")
    way = way if way.arguments else plain(server)
    with closing(way.open()) as reader:
        reader.sendall(request(f"/pour/a/{COUNT}/{SIZE}/", websocket=websocket))
        server.wait_line("took nothing for 1 s: cut off")
        ended(server)
        with suppress(OSError):  # a reset, after what the kernel had already
            read_all(reader)


def test_one_who_wakes_up_in_time_is_told_why(start: Start) -> None:
    server = start(HEADWAY_STUCK="1")
    with closing(plain(server).open()) as reader:
        reader.sendall(request(f"/pour/a/{COUNT}/{SIZE}/", websocket=True))
        server.wait_line("cut off")

        data = read_to(reader, struct.pack("!BBH", 0x88, 2, 4408))

        *messages, close = frames(data)
        assert close.payload == struct.pack("!H", 4408)
        same = b"".join(message.payload for message in messages) == whole(len(messages))
        assert same
        assert len(messages) < COUNT


@pytest.mark.parametrize("websocket", [False, True])
def test_one_who_reads_slowly_is_not_cut_off(start: Start, websocket: bool) -> None:
    server = start(HEADWAY_STUCK="0.5")
    with closing(plain(server).open()) as reader:
        reader.sendall(request(f"/pour/a/{COUNT}/{SIZE}/", websocket=websocket))
        got = bytearray()
        deadline = time.monotonic() + 4.0  # eight times as long as one may take nothing
        while time.monotonic() < deadline:
            got += reader.recv(200_000)
            time.sleep(0.05)  # as a slow line would
        assert poured(server)["sent"] < COUNT
        assert "cut off" not in server.output
        data = bytes(got) + read_until_end(reader, websocket)
    check(data, websocket)


@pytest.mark.parametrize("websocket", [False, True])
def test_one_who_vanishes_lets_the_sender_go(start: Start, websocket: bool) -> None:
    server = start()
    reader = plain(server).open()
    reader.sendall(request(f"/pour/a/{COUNT}/{SIZE}/", websocket=websocket))
    stuck(server)
    # Closed with unread data in its buffer, a socket sends a reset.
    reader.close()
    ended(server)


def test_the_connection_is_kept_after_a_stream(start: Start) -> None:
    """One request after the other, and several at once."""
    server = start()
    with closing(plain(server).open()) as reader:
        for _ in range(2):
            reader.sendall(request(f"/pour/a/20/{SIZE}/"))
            check(read_until_end(reader, websocket=False), websocket=False, count=20)
        reader.sendall(request("/plain/"))
        assert read_to(reader, b"/plain/").startswith(b"HTTP/1.1 200")

        streams = request(f"/pour/b/100/{SIZE}/") + request(f"/pour/c/100/{SIZE}/")
        reader.sendall(streams + request("/last/"))
        assert stuck(server, "b") < 100
        data = read_to(reader, b"/last/")
    first, rest = body(data)
    second, rest = body(rest)
    assert first == second == whole(100)
    assert rest.endswith(b"/last/")
    ended(server, "c")


def test_a_head_request_gets_no_body(start: Start) -> None:
    server = start()
    with closing(plain(server).open()) as reader:
        reader.sendall(request(f"/pour/a/20/{SIZE}/", method="HEAD") + request("/last/"))
        data = read_to(reader, b"/last/")
    assert data.count(b"HTTP/1.1 200") == 2
    assert len(data) < 1000
    assert poured(server)["sent"] == 20


def test_who_is_not_listened_to_cannot_say_more(start: Start, way: Way) -> None:
    """A client that talks all the time to an application that has no time for it."""
    server = start(*way.arguments)
    way = way if way.arguments else plain(server)
    before = server.usage().rss
    with closing(way.open()) as talker:
        talker.sendall(request(f"/pour/a/{COUNT}/{SIZE}/", websocket=True))
        stuck(server)
        talker.settimeout(2)
        said = 0
        with suppress(TimeoutError):
            while said < 10 * ROOM:
                talker.sendall(masked(b"x" * 50_000))
                said += 50_000
        assert said < ROOM * 2
        assert server.usage().rss - before < ROOM * 2
        talker.settimeout(20)
        # Once it is done it reads on, and hears of the end.
        with suppress(OSError):
            read_until_end(talker, websocket=True)
        talker.close()
    ended(server)
