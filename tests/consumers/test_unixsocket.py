"""What is removed before a server listens on a Unix socket, and what never."""

import os
import socket
from pathlib import Path

import pytest

from consumers.unixsocket import SocketTaken, clear_stale


def bound(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    return made


def test_nothing_is_there(tmp_path: Path) -> None:
    assert clear_stale(tmp_path / "socket") is False


def test_what_a_dead_server_left_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    bound(path).close()
    assert clear_stale(path) is True
    assert not path.exists()


def test_a_living_servers_is_left(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with bound(path) as living:
        living.listen()
        with pytest.raises(SocketTaken, match="listens"):
            clear_stale(path)
        assert path.is_socket()


def test_a_busy_servers_is_left(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with bound(path) as living, socket.socket(socket.AF_UNIX) as first:
        living.listen(0)
        first.connect(str(path))  # its queue is full now
        with pytest.raises(SocketTaken):
            clear_stale(path)
        assert path.is_socket()


@pytest.mark.parametrize("kind", ["file", "folder", "pipe", "link to a file", "dangling link"])
def test_what_is_no_socket_is_left(tmp_path: Path, kind: str) -> None:
    path, target = tmp_path / "socket", tmp_path / "target"
    match kind:
        case "file":
            path.write_text("mine")
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "link to a file":
            target.write_text("mine")
            path.symlink_to(target)
        case _:
            path.symlink_to(target)
    with pytest.raises(SocketTaken, match="no socket"):
        clear_stale(path)
    assert os.path.lexists(path)


def test_a_link_to_a_dead_socket_is_left(tmp_path: Path) -> None:
    bound(tmp_path / "target").close()
    (tmp_path / "socket").symlink_to(tmp_path / "target")
    with pytest.raises(SocketTaken, match="no socket"):
        clear_stale(tmp_path / "socket")
