"""What the kernel is asked beyond Python's own calls. Where it has no such thing: nothing."""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

__all__ = [
    "adopt_orphans",
    "children",
    "die_with_parent",
    "kill_group",
    "prefer_as_victim",
    "reaped",
]

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_VICTIM = "500"  # of 1000: a run is ended before its supervisor is

_LINUX = sys.platform == "linux"
# Loaded once, before there is a child: what loads a library takes locks.
_prctl = ctypes.CDLL(None, use_errno=True).prctl if _LINUX else None


def adopt_orphans() -> None:
    """Descendants of the calling process that lose their parent become its children."""
    if _prctl is not None:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent(parent: int) -> None:
    """Have the calling process killed when *parent*, which forked it, dies."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it died before it was asked for
        os._exit(1)


def prefer_as_victim() -> None:
    """Let the calling process be the one that goes when the machine has no memory left."""
    if _LINUX:
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(_VICTIM)


def kill_group(leader: int, number: int = signal.SIGKILL) -> None:
    """Signal the process group of *leader*, if there is one."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def reaped(last_rites: Callable[[int], None]) -> Iterator[tuple[int, int, resource.struct_rusage]]:
    """Children that have ended: pid, status, and what they have used.

    *last_rites* is called with each pid while nobody else can have it, where the system
    allows to look before reaping.
    """
    looks = hasattr(os, "waitid")
    with suppress(ChildProcessError):  # there are none
        while True:
            which = -1
            if looks:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if found is None:
                    return
                last_rites(which := found.si_pid)
            pid, status, used = os.wait4(which, os.WNOHANG)
            if not pid:
                return
            if not looks:
                last_rites(pid)
            yield pid, status, used


def children() -> set[int]:
    """The pids of the calling process's children, ended ones included."""
    if not _LINUX:
        return set()
    pid = os.getpid()
    try:
        listed = Path(f"/proc/self/task/{pid}/children").read_text()
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN
        return set(_children_of(pid))
    return set(map(int, listed.split()))


def _children_of(parent: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # it has ended meanwhile
                # The command in parentheses may hold spaces; the parent is field 4.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == parent:
                    yield int(entry.name)
