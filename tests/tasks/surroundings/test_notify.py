"""Telling systemd: where it listens, and where nobody does."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from tasks.surroundings.notify import notify


@pytest.mark.parametrize("abstract", [False, True])
def test_a_listening_manager_is_told(settings: Any, tmp_path: Path, abstract: bool) -> None:
    name = f"headway-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}" if abstract else name)
        manager.settimeout(5)
        settings.NOTIFY_SOCKET = f"@{name}" if abstract else name
        notify("READY=1")
        assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/nowhere/at/all"])
def test_nobody_listens(settings: Any, address: str) -> None:
    settings.NOTIFY_SOCKET = address
    notify("READY=1")


def test_a_manager_that_does_not_read_holds_nothing_up(settings: Any, tmp_path: Path) -> None:
    settings.NOTIFY_SOCKET = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(settings.NOTIFY_SOCKET)
        for _ in range(1000):  # more than a socket's queue takes
            notify("READY=1")
