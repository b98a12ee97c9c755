"""The client counts events in bytes that are cut anywhere, and sees what is wrong with them."""

import pytest

from tests.bench.connection import Connection
from tests.bench.spec import Spec


class Seen:
    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.count = 0

    def took(self, before: int, stamps: list[bytes]) -> None:
        assert before == self.count
        self.count += len(stamps)

    def left(self) -> None:
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
        connection.data_received(data[start : start + size])
    connection.connection_lost(None)
    return seen


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_counts_whatever_the_cuts(size: int) -> None:
    seen = feed(b"HTTP/1.1 200 OK\r\n\r\n" + stream(*range(1, 21)), size, last=20)
    assert seen.wrong == []
    assert seen.count == 20


@pytest.mark.parametrize("seqs", [(1, 2, 4), (1, 2, 2, 3), (2, 1, 3), (1, 2)])
def test_sees_gaps_repetitions_disorder_and_early_ends(seqs: tuple[int, ...]) -> None:
    assert feed(stream(*seqs), 1000, last=3).wrong
