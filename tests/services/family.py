"""A process and those it has started, as a whole."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["family", "signal_family", "wait_gone"]


def family(pid: int) -> Iterator[int]:
    """*pid*, then its children; these are looked up when the first is dealt with.

    PostgreSQL's backends are sessions of their own, so no process group holds them all.
    """
    yield pid
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and _stat(int(entry.name))[1] == pid:
            yield int(entry.name)


def signal_family(pid: int, number: int) -> list[int]:
    """Send a signal to *pid*, then to its children: a stopped one starts no more of them."""
    reached = []
    for member in family(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, number)
            reached.append(member)
    return reached


def wait_gone(pids: list[int], timeout: float) -> None:
    """Wait until none of *pids* runs; they need not be our own children."""
    deadline = time.monotonic() + timeout
    while alive := [pid for pid in pids if _stat(pid)[0] not in "ZX"]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"Still running after {timeout} s: {alive}")
        time.sleep(0.01)  # nobody tells of the end of a process that is not a child


def _stat(pid: int) -> tuple[str, int]:
    """Its state and its parent, from /proc; ``X`` is a process that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return "X", 0
    return fields[0], int(fields[1])
