"""The end of the process at a deadline, whatever holds it."""

import atexit
import faulthandler
import gc
import os
import queue
import sys
import threading
import time

__all__ = ["COMMITS", "LAST_RESORT", "LastResort"]

# Seconds after the grace period, of the two that the contract allows.
COMMITS = 1.3  #: the supervisor has ended: runs were cancelled or given back, and that is stored
LAST_RESORT = 1.75  #: a process that still runs is ended


class LastResort:
    """A daemon thread that ends the process when a deadline passes.

    A thread stuck in user code, a database socket that swallows packets or a blocked
    event loop keep an orderly exit waiting for ever. The thread is started early,
    since an interpreter that has begun to exit starts no more.
    """

    def __init__(self) -> None:
        # SimpleQueue, since its put() is reentrant: a signal handler may call arm()
        # while another one does.
        self._arming: queue.SimpleQueue[tuple[float, int]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Be ready to be armed. Safe to call twice."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._wait, name="headway last resort", daemon=True
            )
            self._thread.start()
            # Past this point the interpreter collects garbage through all that is loaded,
            # several times: 0.3 s of CPU, 0.03 s if everything is frozen. On a busy machine
            # that is the difference between in time and too late, and no thread can help.
            atexit.register(gc.freeze)

    def arm(self, seconds: float, code: int = 0) -> None:
        """End the process with *code* in *seconds*, if it still runs then.

        From any thread and from signal handlers. Armed again, the earlier deadline and
        the worse code count.
        """
        self._arming.put((time.monotonic() + seconds, code))

    def _wait(self) -> None:
        deadline, code = self._arming.get()
        while (left := deadline - time.monotonic()) > 0:
            try:
                other, worse = self._arming.get(timeout=left)
            except queue.Empty:
                break
            deadline, code = min(deadline, other), max(code, worse)
        end_process(code)


def end_process(code: int) -> None:
    """Say what every thread is doing, and end at once."""
    # Not through logging: whoever holds its lock may be what holds the process.
    os.write(2, b"Headway: the process has not stopped in time and is ended. Its threads:\n")
    faulthandler.dump_traceback(file=sys.__stderr__ or 2, all_threads=True)
    os._exit(code)
