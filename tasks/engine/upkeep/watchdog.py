"""A thread that sees the event loop blocked, and says by whom."""

import asyncio
import logging
import re
import sys
import threading
import time
import traceback

from tasks.conf import conf
from tasks.engine.metrics import instruments

__all__ = ["Watchdog"]

logger = logging.getLogger("headway.watchdog")

# How the workforce names the asyncio tasks of runs.
_RUN = re.compile(r"run (?P<task>.+)\[(?P<run_id>.+)\]")


class Watchdog:
    """Logs once for each time the event loop does not come round for long.

    The line names the task on the loop (a run's is named after it) and shows its stack.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread_id = threading.get_ident()
        self._seen = time.monotonic()

    async def serve(self) -> None:
        ending = threading.Event()
        self._seen = time.monotonic()
        pause = conf().blocked_loop / 4
        threading.Thread(
            target=self._watch, args=(ending,), name="headway-watchdog", daemon=True
        ).start()
        try:
            while True:
                self._seen = time.monotonic()
                await asyncio.sleep(pause)
                instruments.loop_lag.observe(time.monotonic() - self._seen - pause)
        finally:
            ending.set()

    def _watch(self, ending: threading.Event) -> None:
        told = 0.0
        while not ending.wait(conf().blocked_loop / 2):
            seen = self._seen
            silent = time.monotonic() - seen
            if silent >= conf().blocked_loop and seen != told:
                told = seen
                self._tell(silent)

    def _tell(self, silent: float) -> None:
        task = asyncio.current_task(self._loop)
        frame = sys._current_frames().get(self._thread_id)
        stack = "".join(traceback.format_stack(frame)) if frame else "(no stack)\n"
        name = task.get_name() if task else "no task"
        run = _RUN.fullmatch(name)
        logger.warning(
            "The event loop has been blocked for %.1f s by %s. Blocking code belongs into a"
            " sync task or a thread. It is at:\n%s",
            silent,
            name,
            stack,
            extra=run.groupdict() if run else None,
        )
