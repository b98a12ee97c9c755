"""The client counts events in bytes that are cut anywhere, and sees what is wrong with them."""

import pytest

from tests.bench.connection import Connection
from tests.bench.spec import Spec


class Seen:
    def __init__(self, resumes: bool = False) -> None:
        self.wrong: list[str] = []
        self.count = 0
        self._resumes = resumes

    def took(self, before: int, stamps: list[bytes], now: float) -> None:
        assert before == self.count
        self.count += len(stamps)

    def left(self) -> None:
        pass

    def resume(self, connection: Connection) -> bool:
        return self._resumes


class Sink:
    written = b""

    def sendall(self, data: bytes) -> None:
        self.written = data

    def shutdown(self, how: int) -> None:
        pass


def stream(*seqs: int) -> bytes:
    return b"".join(
        b'id: %d\nevent: tick\ndata: {"run":"r","seq":%d,"type":"tick",'
        b'"at":"2026-11-21T16:04:05.123456Z","data":{"n":1}}\n\n' % (seq, seq)
        for seq in seqs
    )


def feed(data: bytes, size: int, last: int) -> Seen:
    seen = Seen()
    connection = Connection(Spec(1, "/", websocket=False, clients=1, last=last), seen)
    for start in range(0, len(data), size):
        connection.received(data[start : start + size], now=0)
    connection.lost()
    return seen


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_counts_whatever_the_cuts(size: int) -> None:
    seen = feed(b"HTTP/1.1 200 OK\r\n\r\n" + stream(*range(1, 21)), size, last=20)
    assert seen.wrong == []
    assert seen.count == 20


@pytest.mark.parametrize("seqs", [(1, 2, 4), (1, 2, 2, 3), (2, 1, 3), (1, 2)])
def test_sees_gaps_repetitions_disorder_and_early_ends(seqs: tuple[int, ...]) -> None:
    assert feed(stream(*seqs), 1000, last=3).wrong


def test_continues_after_its_cursor_when_cut_off() -> None:
    seen, sink = Seen(resumes=True), Sink()
    connection = Connection(Spec(1, "/run/", websocket=True, clients=1, last=4), seen)
    connection.received(stream(1, 2) + stream(3)[:-60], now=0)
    connection.lost()
    connection.made(sink)
    connection.received(stream(3, 4), now=0)
    assert sink.written.startswith(b"GET /run/?after=2 HTTP/1.1\r\n")
    assert (seen.wrong, seen.count) == ([], 4)
