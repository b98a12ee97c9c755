"""The limits of a process, as the system knows them."""

import resource
import sys
from pathlib import Path

from tasks.definition.options import Options

__all__ = ["limit", "make_room"]

_MEGABYTE = 2**20
_REPORT = 32 * _MEGABYTE  # for saying that the memory is used up
# Linux counts what a process may write to and does not share. Address space would count
# libraries and reservations too, which say nothing of what a task uses.
_MEMORY = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS


def limit(options: Options, *, keep: bool) -> None:
    """Limit the calling process. With *keep*, memory is counted beside what it has already:
    a function starts with all of Django, a command with nothing.
    """
    if options.max_fds is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (options.max_fds, options.max_fds))
    if options.cpu_seconds is not None:
        # SIGXCPU first, whose name tells why; what ignores it has one more second.
        most = options.cpu_seconds
        resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))
    if options.memory_mb is not None:
        most = options.memory_mb * _MEGABYTE + (_in_use() if keep else 0)
        resource.setrlimit(_MEMORY, (most, most + (_REPORT if keep else 0)))


def make_room() -> None:
    """Let a function that has used up its memory say so."""
    _, most = resource.getrlimit(_MEMORY)
    resource.setrlimit(_MEMORY, (most, most))


def _in_use() -> int:
    if sys.platform != "linux":
        return 0
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0
