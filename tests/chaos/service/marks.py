"""What tasks leave behind for the tests: lines in a file, whole whatever is killed."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Overlap", "alone", "leave", "left", "marks"]


class Overlap(Exception):
    """Another live attempt at the same run is under way."""


def leave(path: str, line: str) -> None:
    """Add a line. A short write to a file opened for appending is never torn."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(file, f"{line}\n".encode())
    finally:
        os.close(file)


def left(path: str) -> bool:
    """Whether there is any."""
    return os.path.exists(path)


def marks(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@contextmanager
def alone(path: str) -> Iterator[None]:
    """Hold a lock that ends with the process, whatever ends that; :class:`Overlap` if held.

    The kernel gives it back in the moment of a SIGKILL, so it tells the living from the
    dead with no clock.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Overlap(path) from None
        yield
    finally:
        os.close(file)
