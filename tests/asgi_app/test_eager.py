"""Writing at once to real sockets, through Twisted's own transport and a reactor by hand."""

import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Connection

from asgi_app import eager


class Reactor:
    """Knows who waits to write."""

    def __init__(self) -> None:
        self.writers: list[Any] = []

    def addWriter(self, writer: Any) -> None:
        if writer not in self.writers:
            self.writers.append(writer)

    def removeWriter(self, writer: Any) -> None:
        if writer in self.writers:
            self.writers.remove(writer)

    def removeReader(self, reader: Any) -> None:
        pass


class Producer:
    def __init__(self) -> None:
        self.paused: int = 0

    def pauseProducing(self) -> None:
        self.paused += 1

    def resumeProducing(self) -> None:
        pass

    def stopProducing(self) -> None:
        pass


class Line:
    """A transport and the client at its other end."""

    def __init__(self, server: socket.socket, client: socket.socket) -> None:
        self.client = client
        self.reactor = Reactor()
        self.transport: Any = Connection(server, Protocol(), self.reactor)  # type: ignore[arg-type]
        self.transport.connected = 1
        eager.hasten(self.transport)

    @property
    def waits(self) -> bool:
        return bool(self.reactor.writers)

    def drain(self) -> bytes:
        """What the client gets while the reactor writes all there is."""
        got = bytearray()
        while self.waits:
            self.transport.doWrite()
            got += self.read()
        return bytes(got)

    def read(self) -> bytes:
        got = bytearray()
        while True:
            try:
                got += self.client.recv(1 << 20)
            except BlockingIOError:
                return bytes(got)


@pytest.fixture(params=[socket.AF_INET, socket.AF_UNIX])
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    if request.param == socket.AF_UNIX:
        server, client = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = socket.create_connection(listener.getsockname())
            server, _ = listener.accept()
    with closing(server), closing(client):
        client.setblocking(False)
        yield Line(server, client)


def numbered(count: int) -> bytes:
    return b"".join(b"%08d" % number for number in range(count))


def test_a_small_piece_leaves_at_once(line: Line) -> None:
    line.transport.write(b"one")
    line.transport.writeSequence([b" and ", b"", b"another"])
    assert not line.waits
    assert line.read() == b"one and another"


def test_what_the_socket_does_not_take_follows_in_order(line: Line) -> None:
    pieces = [numbered(1_000_000), b"and this", b"and that"]
    for piece in pieces:
        line.transport.write(piece)
    assert line.waits
    assert line.read() + line.drain() == b"".join(pieces)
    line.transport.write(b"again at once")
    assert not line.waits


def test_a_producer_is_paused_as_ever(line: Line) -> None:
    producer = Producer()
    line.transport.registerProducer(producer, True)
    line.transport.write(b"small")
    before = producer.paused
    line.transport.write(numbered(1_000_000))
    assert (before, producer.paused) == (0, 1)


def test_a_lost_connection_is_twisteds_to_notice(line: Line) -> None:
    line.client.close()
    for _ in range(3):
        line.transport.write(numbered(1_000))
    assert line.waits
    assert line.transport.doWrite() is not None  # which makes the reactor close it


def test_a_closed_transport_takes_nothing(line: Line) -> None:
    line.transport.connected = 0
    line.transport.write(b"late")
    assert not line.waits
    assert line.read() == b""


def test_straight_to_the_socket_until_anything_else_is_written(line: Line) -> None:
    said: list[bytes] = []
    write = eager.straight(line.transport, lambda: said.append(line.read()))
    assert write is not None
    assert write(b"one and ") == 8
    line.transport.write(b"another")
    assert said == [b"one and "]  # before it is written
    assert line.read() == b"another"
    line.transport.write(b"a third")
    assert len(said) == 1


def test_not_straight_to_a_socket_that_has_something_before_it(line: Line) -> None:
    line.transport.write(numbered(1_000_000))
    assert eager.straight(line.transport, lambda: None) is None
    line.read()
    line.drain()
    assert eager.straight(line.transport, lambda: None) is not None
    line.transport.loseConnection()
    assert eager.straight(line.transport, lambda: None) is None


def test_what_it_has_not_taken_straight_follows_in_order(line: Line) -> None:
    write = eager.straight(line.transport, lambda: None)
    assert write is not None
    data = numbered(1_000_000)
    taken = write(data)
    assert taken < len(data)
    line.transport.write(data[taken:])
    line.transport.write(b"and this")
    assert line.read() + line.drain() == data + b"and this"


def test_straight_until_it_is_restored(line: Line) -> None:
    said: list[bool] = []
    assert eager.straight(line.transport, lambda: said.append(True)) is not None
    eager.restore(line.transport)
    assert said == [True]
    assert eager.straight(line.transport, lambda: None) is None


def test_restored_it_waits_for_the_reactor_again(line: Line) -> None:
    eager.restore(line.transport)
    eager.restore(line.transport)
    line.transport.write(b"one")
    assert line.waits
    assert line.drain() == b"one"


def test_what_it_cannot_hasten_it_leaves_alone() -> None:
    class Other:
        def write(self, data: bytes) -> None: ...

    other = Other()
    eager.hasten(other)
    assert eager.straight(other, lambda: None) is None
    eager.restore(other)
    assert vars(other) == {}


def test_its_position_moves_only_when_the_reader_takes_something(line: Line) -> None:
    line.transport.write(numbered(1_000_000))
    before = eager.position(line.transport)
    line.transport.write(b"more to come is no progress")
    assert eager.position(line.transport) == before
    assert line.client.recv(300_000)
    line.transport.doWrite()
    assert eager.position(line.transport) != before


def test_the_kernel_is_told_how_long_a_peer_may_be_silent(line: Line) -> None:
    eager.limit_silence(line.transport, 2.5)
    if line.transport.socket.family == socket.AF_INET:
        option = line.transport.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert option == 2500
