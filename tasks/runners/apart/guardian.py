"""The fork server's parent: it ends what a fork server that was killed has left behind.

When the supervisor dies the fork server ends everything, when that dies its guardian does, and
when the guardian dies the fork server does. So nothing survives the supervisor, whichever of
the other two dies at the same moment.

It is executed by its path, since importing this package imports Django, which would make it
large: so it has the standard library, and its neighbour likewise.
"""

import os
import runpy
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress

__all__ = ["guard"]

_LOOK = 1.0  # seconds between two looks whether the supervisor lives
_LEAVE = 3.0  # seconds to see all processes gone
_CHILD = {signal.SIGCHLD}

_kernel = runpy.run_path(os.path.join(os.path.dirname(__file__), "kernel.py"))
_adopt_orphans: Callable[[], None] = _kernel["adopt_orphans"]
_children: Callable[[], set[int]] = _kernel["children"]


def guard(supervisor: int, control: int) -> None:
    """Return in a child, the fork server to be; the calling process becomes its guardian.

    *control* is the child's alone: its end is the supervisor's to see. Where the kernel hands
    orphans to nobody but init, a guardian would have nothing to end: there is none.
    """
    if sys.platform != "linux":
        return
    # As for the fork server: both go when the supervisor does, which is signalled too.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, _CHILD)
    _adopt_orphans()
    server = os.fork()
    if server == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _CHILD)
        return
    os.close(control)
    while os.getppid() == supervisor and os.waitpid(server, os.WNOHANG) == (0, 0):
        signal.sigtimedwait(_CHILD, _LOOK)
    _end_all()
    os._exit(0)


def _end_all() -> None:
    """End all children, and those that become some when their parents end."""
    deadline = time.monotonic() + _LEAVE
    while time.monotonic() < deadline:
        for pid in _children():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            time.sleep(0.005)  # until the next of them has ended
